"""What is kept of every trial: one JSON object per line, synced before the next trial begins."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from magma_ros.errors import RecordingError

TRIALS = 'trials.jsonl'
SCORERS = ('simulation', 'operator')


@dataclass(frozen=True)
class TrialRecord:
    """How one trial went. Paths are relative to the folder of the session, '' if there is none.

    Attributes:
        trial: number of the trial in the session's order, from 0; one that was invalid is
            repeated under its own number.
        block: of the order.
        task: name of the task in the session file.
        layout: id of the initial condition; trials of the same (task, layout, block) under
            different conditions are paired.
        code: stands for the condition until the report.
        success: what ``scored_by`` said.
        scored_by: one of SCORERS.
        duration_s: from the start to the success, or to the end.
        ended: why: ``success``, ``time``, ``stop``, ``operator``, ``interrupted``, ``error``.
        started_utc: ISO 8601.
        bag: folder of the recording.
        motion: .npz with ``t_s`` (N,) and ``position_m`` (N, 3), end effector in the base frame.
        thumbnail: a picture of how it ended.
        interventions: how often a person took over.
        safety_events: reason codes of holds and stops, and limits that acted.
        latency_p50_ms: of the predictions; nan without any.
        latency_p95_ms: of the predictions; nan without any.
        note: what the scorer had to say.
        invalid: '' or why the trial does not count and is repeated.
    """

    trial: int
    block: int
    task: str
    layout: str
    code: str
    success: bool
    scored_by: str
    duration_s: float
    ended: str
    started_utc: str
    bag: str
    motion: str
    thumbnail: str
    interventions: int
    safety_events: tuple[str, ...]
    latency_p50_ms: float
    latency_p95_ms: float
    note: str
    invalid: str


def append_record(path: Path, record: TrialRecord) -> None:
    """One more line, on the disk when this returns.

    A line that a crash tore is cut off first.

    Raises:
        RecordingError: the file cannot be written, or holds something else.
    """
    whole = _whole_length(path)
    try:
        with path.open('r+b' if path.exists() else 'xb') as file:
            file.truncate(whole)
            file.seek(whole)
            file.write(f'{_as_json(record)}\n'.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RecordingError(
            f'{path}: trial {record.trial} was not kept ({error.strerror}); make room or mend '
            'the permissions, then: magma session resume'
        ) from error


def read_records(path: Path) -> tuple[TrialRecord, ...]:
    """All records in the order of writing; a torn last line is no record; no file, no records.

    Raises:
        RecordingError: any other line is not a record; names the line.
    """
    if not path.is_file():
        return ()
    lines = path.read_bytes()[: _whole_length(path)].splitlines()
    return tuple(_parse(line, f'{path}, line {at}') for at, line in enumerate(lines, start=1))


def _as_json(record: TrialRecord) -> str:
    """JSON has no nan: what is unknown is null."""
    values = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(record).items()
    }
    return json.dumps(values, allow_nan=False)


def _whole_length(path: Path) -> int:
    """Bytes up to and with the last line end."""
    return path.read_bytes().rfind(b'\n') + 1 if path.is_file() else 0


def _parse(line: bytes, where: str) -> TrialRecord:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise RecordingError(
            f'{where} is no JSON ({error}): only the last line may be torn. '
            'Restore the file from a copy'
        ) from error
    names = [field.name for field in fields(TrialRecord)]
    if not isinstance(values, dict) or sorted(values) != sorted(names):
        raise RecordingError(f'{where} is no trial: a trial has {", ".join(names)}')
    hints = get_type_hints(TrialRecord)
    unknown = {name: math.nan for name, v in values.items() if v is None and hints[name] is float}
    values = {**values, **unknown}
    for name, value in values.items():
        if not _is_of(value, hints[name]):
            raise RecordingError(f'{where}: {name} is {value!r}, of another type')
    return TrialRecord(**{**values, 'safety_events': tuple(values['safety_events'])})


def _is_of(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in (str, bool):
        return isinstance(value, kind)
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
