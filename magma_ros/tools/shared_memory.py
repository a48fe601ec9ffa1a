"""Takes away what Fast DDS leaves in /dev/shm when a process is killed: 35 MB each."""

from __future__ import annotations

import contextlib
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
    names = (path.removesuffix(' (deleted)') for path in paths)
    return {Path(name) for name in names if Path(name).name.startswith(PREFIXES)}


def remove_orphans(segments: Iterable[Path]) -> set[Path]:
    """Delete those of ``segments`` that no living process has mapped; which ones that were."""
    wanted = {segment for segment in segments if segment.exists()}
    if not wanted:
        return set()
    used: set[Path] = set()
    for process in Path('/proc').glob('[0-9]*'):
        used |= segments_of(int(process.name))
    for orphan in wanted - used:
        for path in (orphan, orphan.with_name(f'{orphan.name}_el')):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return wanted - used
