"""A session on disk: what everybody may read, and below ``sealed/`` what names the conditions.

* ``session.json``: order by code, checksums; never changes.
* ``trials.jsonl``: one line per trial (``trial_record.py``).
* ``motion/``, ``pictures/``, ``bags/``, ``layouts/``: what belongs to the trials.
* ``sealed/``: key, session file, parameters by code, texts of errors; opened by whoever starts a
  condition and by the report.
* ``stopped.json``: the stopping rule has ended the session.
* ``unsealed.json``: a report has opened the key; no more trials after that.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError, RecordingError
from magma_ros.evaluation.sessions.order import PlannedTrial
from magma_ros.evaluation.sessions.sealing import Key, read_key
from magma_ros.evaluation.sessions.session_file import Session, read_session
from magma_ros.evaluation.sessions.trial_record import TRIALS, TrialRecord, read_records
from magma_ros.yaml_tables import load_yaml

PLAN = 'session.json'
SEALED = 'sealed'
KEY = f'{SEALED}/key.json'
FILE = f'{SEALED}/session.yaml'
STOPPED = 'stopped.json'
UNSEALED = 'unsealed.json'
ERRORS = f'{SEALED}/errors.txt'
LAYOUTS = 'layouts'
LOCK = '.session.lock'
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """``session.json``: names no condition."""

    format: int
    created_utc: str
    magma_ros: str
    title: str
    through: str
    blinding: bool
    seed: int
    codes: tuple[str, ...]
    file_sha256: str
    key_sha256: str
    order: tuple[PlannedTrial, ...]


class SessionFolder:
    """A session that has been made.

    Raises:
        ConfigurationError: the folder holds none, or one of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan = _read_plan(path / PLAN)

    def records(self) -> tuple[TrialRecord, ...]:
        """Every trial so far, invalid ones too."""
        records = read_records(self.path / TRIALS)
        planned = {one.trial: one for one in self.plan.order}
        for record in records:
            one = planned.get(record.trial)
            if one is None or asdict(one).items() - asdict(record).items():
                raise RecordingError(
                    f'{self.path / TRIALS}: trial {record.trial} is not as {PLAN} has it: it is '
                    'of another session; restore both from a copy'
                )
        return records

    def remaining(self) -> list[PlannedTrial]:
        """What is still to be run, in order; nothing once the stopping rule has decided."""
        if (self.path / STOPPED).exists():
            return []
        done = {record.trial for record in self.records() if not record.invalid}
        return [one for one in self.plan.order if one.trial not in done]

    @property
    def is_unsealed(self) -> bool:
        """Whether a report has opened the key."""
        return (self.path / UNSEALED).exists()

    def open_key(self) -> Key:
        """What the codes stand for. For whoever starts a condition, and for the report."""
        return read_key(self.path / KEY, self.plan.key_sha256)

    def open_file(self, key: Key) -> Session:
        """The session as it was at ``new``, wherever its file and pictures are now.

        Raises:
            ConfigurationError: the copy of the file is not the same any more.
        """
        path = self.path / FILE
        if not path.is_file() or checksum_of(path) != self.plan.file_sha256:
            raise ConfigurationError(f'{path} is gone or was changed: restore it from a copy')
        values = load_yaml(path)
        tables = {one.name: one.table for one in key.conditions.values()}
        values['conditions'] = {name: tables[name] for name in values['conditions']}
        if 'pictures' in values['layouts']:
            values['layouts'] = {'pictures': LAYOUTS}
        return read_session(values, self.path, str(path))

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Be the only one who runs this session.

        Raises:
            ConfigurationError: somebody else does, or the key has been opened.
        """
        with (self.path / LOCK).open('w') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigurationError(
                    f'{self.path} is being run by another process; wait for it or end it'
                ) from error
            if self.is_unsealed:
                raise ConfigurationError(
                    f'{self.path} has been reported: whoever knows the result must not go on '
                    'collecting. Make a new session: magma session new'
                )
            yield


def checksum_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Whole or not at all, and on the disk.

    Raises:
        RecordingError: it cannot be written.
    """
    part = path.with_name(f'{path.name}.part')
    try:
        with part.open('w', encoding='utf-8') as file:
            file.write(json.dumps(values, indent=1) + '\n')
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise RecordingError(f'{path} cannot be written: {error.strerror}') from error


def now_utc() -> str:
    """ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec='seconds')


def _read_plan(path: Path) -> Plan:
    if not path.is_file():
        raise ConfigurationError(
            f'{path.parent} is no session: make one with magma session new FILE --out DIR'
        )
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
        values['order'] = tuple(PlannedTrial(**one) for one in values['order'])
        plan = Plan(**{**values, 'codes': tuple(values['codes'])})
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f'{path} is damaged ({error}); restore it from a copy') from error
    if plan.format != FORMAT:
        raise ConfigurationError(
            f'{path} has format {plan.format}, this version reads {FORMAT}: use the magma_ros '
            f'{plan.magma_ros} that made it'
        )
    return plan
