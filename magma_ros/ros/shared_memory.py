"""Takes away what Fast DDS leaves in /dev/shm when a process is killed: 35 MB each."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterable
from pathlib import Path

DIRECTORY = '/dev/shm/'
PREFIXES = ('fastrtps_', 'fastdds_')


def segments_of(pid: int) -> set[Path]:
    """Segments of Fast DDS that a process has mapped, its own and those of its peers."""
    try:
        maps = Path(f'/proc/{pid}/maps').read_text()
    except OSError:  # it has ended, or is somebody else's
        return set()
    paths = {line[line.index(DIRECTORY) :] for line in maps.splitlines() if DIRECTORY in line}
    names = (Path(path.removesuffix(' (deleted)')) for path in paths)
    return {path for path in names if path.name.startswith(PREFIXES) and 'port' not in path.name}


def remove_orphans(segments: Iterable[Path]) -> set[Path]:
    """Delete those of ``segments`` whose owner has died; which ones that were."""
    orphans = {segment for segment in segments if segment.exists() and _is_orphan(segment)}
    for orphan in orphans:
        for path in (orphan, _lock_of(orphan)):
            path.unlink(missing_ok=True)
    return orphans


def _lock_of(segment: Path) -> Path:
    return segment.with_name(f'{segment.name}_el')


def _is_orphan(segment: Path) -> bool:
    """The owner of a segment holds a lock while it lives; ``fastdds shm clean`` asks it, too."""
    with contextlib.suppress(OSError), _lock_of(segment).open('rb') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
