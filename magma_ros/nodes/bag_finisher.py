"""Gives finished bags their index, checksums and compression, in a process that gives way."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from pathlib import Path

from magma_ros.dataset.bag_rewrite import UNFINISHED_SUFFIX

END_S = 5.0  # time of a process to end before its bag is moved


class BagFinisher:
    """One bag at a time, and none while an episode is recorded. The bags are complete without.

    Args:
        chunks: plain, lz4, zstd; none: bags stay as they are.
    """

    def __init__(self, chunks: str) -> None:
        self._chunks = chunks
        self._waiting: deque[Path] = deque()
        self._present: tuple[Path, subprocess.Popen] | None = None
        self._is_told_to_end = False

    @property
    def is_busy(self) -> bool:
        """Whether a bag waits or is being rewritten."""
        return self._present is not None or bool(self._waiting)

    @property
    def is_rewriting(self) -> bool:
        """Whether a process is at work now."""
        return self._present is not None

    def add(self, folder: Path) -> None:
        """A bag has ended."""
        if self._chunks != 'none':
            self._waiting.append(folder)

    def look(self, is_recording: bool) -> str:
        """Go on; call it now and then. Never waits. What the last process complained about."""
        complaint = ''
        if self._present is not None and self._present[1].poll() is not None:
            complaint = self._take_leave(*self._present)
        if is_recording:
            self._tell_to_end()
        elif self._present is None and self._waiting:
            folder = self._waiting.popleft()
            command = [sys.executable, '-m', 'magma_ros.dataset.bag_rewrite', str(folder)]
            process = subprocess.Popen(
                [*command, self._chunks],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the node; a bag is finished in peace
            )
            self._present = (folder, process)
        return complaint

    def leave_alone(self, folder: Path) -> None:
        """Before a bag is moved: no process may be at it."""
        if self._present is not None and self._present[0] == folder:
            self._tell_to_end()
            process = self._present[1]
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._take_leave(folder, process)
        if folder in self._waiting:
            self._waiting.remove(folder)

    def _tell_to_end(self) -> None:
        """The present process; its bag is as before and is begun again later."""
        if self._present is not None and not self._is_told_to_end:
            self._is_told_to_end = True
            self._present[1].terminate()

    def _take_leave(self, folder: Path, process: subprocess.Popen) -> str:
        """Of a process that has ended; what it complained about."""
        self._present, was_told, self._is_told_to_end = None, self._is_told_to_end, False
        said = process.stderr.read().decode(errors='replace').strip()  # type: ignore[union-attr]
        process.stderr.close()  # type: ignore[union-attr]
        if not process.returncode:
            return ''
        if not was_told:
            return f'{folder} has no index yet, magma bags repair makes one: {said}'
        for file in folder.glob(f'*{UNFINISHED_SUFFIX}'):
            file.unlink()
        self._waiting.appendleft(folder)
        return ''
