"""Where episodes are: one folder each, below one root that one recorder owns."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from magma_ros.dataset.bag_metadata import METADATA
from magma_ros.dataset.journal import as_recording_error
from magma_ros.errors import RecordingError

LOCK = '.recorder.lock'
DISCARDED = 'discarded'  # folder of what the operator does not want; nothing is ever deleted
NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._+-]{0,63}')


class EpisodeFolders:
    """The root folder, as long as this recorder owns it.

    Raises:
        RecordingError: another recorder has it.
        DiskError: it cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._lock = os.open(root / LOCK, flags, 0o644)
        except OSError as error:
            raise as_recording_error(error, root) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise RecordingError(
                f'{root} is in use by another recorder; give each its own folder'
            ) from error

    def close(self) -> None:
        """Leave the root to others."""
        os.close(self._lock)

    def new_folder(self, name: str, now_ns: int) -> Path:
        """A path that is free, named after the moment where there is no name.

        Raises:
            RecordingError: a name that is more than a name.
        """
        moment = datetime.fromtimestamp(now_ns * 1e-9, timezone.utc)
        base = checked_name(name) if name else moment.strftime('%Y-%m-%d_%H-%M-%S')
        for suffix in ('', *(f'-{number}' for number in range(2, 10_000))):
            folder = self.root / f'{base}{suffix}'
            if not folder.exists() and not (self.root / DISCARDED / folder.name).exists():
                return folder
        raise RecordingError(f'{self.root} is full of episodes named {base}; use another name')

    def discard(self, folder: Path) -> Path:
        """Move an episode to the discarded ones; its new place."""
        return self._move(folder, self.root / DISCARDED)

    def keep(self, folder: Path) -> Path:
        """Bring a discarded episode back; its new place."""
        return self._move(folder, self.root)

    def unfinished(self) -> list[Path]:
        """Episodes whose recorder did not come to their end."""
        return [folder for folder in find_bags(self.root) if not (folder / METADATA).exists()]

    def _move(self, folder: Path, target: Path) -> Path:
        try:
            target.mkdir(exist_ok=True)
            return folder.rename(target / folder.name)
        except OSError as error:
            raise as_recording_error(error, folder) from error


def checked_name(name: str) -> str:
    """The name of an episode.

    Raises:
        RecordingError: it could mean another folder, or does not suit every file system.
    """
    if not NAME.fullmatch(name):
        raise RecordingError(
            f'{name[:80]!r} cannot name an episode: use up to 64 letters, digits and . _ + -, '
            'beginning with a letter or digit'
        )
    return name


def find_bags(root: Path) -> Iterator[Path]:
    """Folders with MCAP files at most two levels below ``root``, and itself; links are left out.

    Raises:
        RecordingError: the root is not there.
    """
    if root.is_symlink() or not root.is_dir():
        raise RecordingError(f'{root} is no folder; give the one that has the episodes')
    candidates = [root, *sorted(root.glob('*')), *sorted(root.glob('*/*'))]
    for folder in candidates:
        inside = not any(p.is_symlink() for p in (folder, folder.parent) if p != root.parent)
        if folder.is_dir() and inside and next(folder.glob('*.mcap'), None) is not None:
            yield folder
