"""``episode.json`` beside a bag: who, what, how it ended, and how well it was recorded.

The operator may still say so after the bag was closed, therefore this file decides and the copy
inside the bag (attachment) is of the moment of closing. Fields are only ever added.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from magma_ros.dataset.journal import as_recording_error
from magma_ros.errors import RecordingError

EPISODE_FILE = 'episode.json'
SCHEMA_VERSION = 1
LARGEST = 16 * 1024**2  # bytes that are read
LONGEST_NOTE, MOST_NOTES = 2000, 1000


@dataclass(frozen=True)
class EpisodeRecord:
    """What is known of one episode. Times in nanoseconds of the system clock (UTC)."""

    episode_id: str
    started_ns: int
    ended_ns: int = 0  # 0: it did not come to an end
    ended_by: str = ''  # operator, shutdown, DISK, RECORDER, repair
    success: bool | None = None  # what the operator said
    discarded: bool = False
    notes: tuple[tuple[int, str], ...] = ()
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)  # count, lost, rate, ...
    health: tuple[str, ...] = ()  # warnings during the episode, each once
    clamped: int = 0  # messages whose time was moved on while the clock was set back
    interventions: tuple[dict[str, Any], ...] = ()  # intervention_labels.py says of what
    context: dict[str, Any] = field(default_factory=dict)  # model, parameters, software, ...
    schema_version: int = SCHEMA_VERSION

    def with_note(self, now_ns: int, text: str) -> EpisodeRecord:
        """With one more note, cut to a sensible length."""
        return replace(self, notes=(*self.notes, (now_ns, text[:LONGEST_NOTE]))[-MOST_NOTES:])

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self), indent=1)


FIELDS = tuple(EpisodeRecord.__dataclass_fields__)
REQUIRED = ('episode_id', 'started_ns')


def write_record(folder: Path, record: EpisodeRecord, is_final: bool = True) -> None:
    """Write ``episode.json``, whole or not at all; the final one waits for the disk.

    Raises:
        DiskError: the disk is full, read-only or gone.
        RecordingError: the folder cannot be written.
    """
    temporary = folder / f'{EPISODE_FILE}.new'
    try:
        with temporary.open('w', encoding='utf-8') as stream:
            stream.write(record.to_json())
            stream.flush()
            if is_final:
                os.fsync(stream.fileno())
        temporary.replace(folder / EPISODE_FILE)
    except OSError as error:
        raise as_recording_error(error, folder / EPISODE_FILE) from error


def read_record(folder: Path) -> EpisodeRecord | None:
    """What is known of a bag; None: it was not recorded by us.

    Raises:
        RecordingError: the file is no such record.
    """
    path = folder / EPISODE_FILE
    if not path.exists() and not path.is_symlink():
        return None
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST:
            raise RecordingError(f'{path} is a link or longer than {LARGEST} bytes; not read')
        values = json.loads(path.read_text(encoding='utf-8'))
        # A record of an older version lacks what was added since.
        known = {name: values[name] for name in FIELDS if name in values or name in REQUIRED}
        known['notes'] = tuple((int(at), str(text)) for at, text in known.get('notes', ()))
        known['health'] = tuple(map(str, known.get('health', ())))
        known['interventions'] = tuple(map(_checked_label, known.get('interventions', ())))
        return EpisodeRecord(**known)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise RecordingError(
            f'{path} is no record of an episode ({type(error).__name__}: {error}); move it away '
            'to use the bag without it'
        ) from error


def _checked_label(label: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'start_ns': int(label['start_ns']),
        'end_ns': int(label['end_ns']),
        'taken_from': str(label['taken_from']),
        'corrects_policy': bool(label['corrects_policy']),
    }


def repaired_record(
    folder: Path, lost_bytes: int, interventions: tuple[dict[str, Any], ...]
) -> None:
    """Say in ``episode.json``, if there is one, that the recorder did not end the episode.

    Raises:
        RecordingError: the file cannot be read or written.
    """
    record = read_record(folder)
    if record is not None and not record.ended_ns:
        text = f'cut off; {lost_bytes} bytes of a last message could not be read'
        health = (*record.health, text)
        changed = replace(record, ended_by='repair', health=health, interventions=interventions)
        write_record(folder, changed)
