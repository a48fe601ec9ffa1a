"""Writes WebM (VP8), which every browser plays, with the encoder that OpenCV brings along."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import EnvironmentMissing

RATE_HZ = 10.0
CODEC = 'VP80'


class VideoWriter:
    """A video file that is whole after its ``with`` block.

    Args:
        path: ends in ``.webm``.
        size_px: width and height of the frames.
        rate_hz: frames per second of video.

    Raises:
        EnvironmentMissing: this OpenCV has no VP8 encoder, or the file cannot be written.
    """

    def __init__(
        self, path: Path, size_px: tuple[int, int] = (640, 480), rate_hz: float = RATE_HZ
    ) -> None:
        self._size_px, self.frame_count = size_px, 0
        code = cv2.VideoWriter.fourcc(*CODEC)
        with _quiet_stderr():
            self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate_hz, size_px)
        if not self._writer.isOpened():
            raise EnvironmentMissing(
                f'{path} cannot be written as WebM with OpenCV {cv2.__version__}: check that the '
                'folder exists and can be written, then install the wheel that has the encoder: '
                'pip install --force-reinstall opencv-python-headless'
            )

    def __enter__(self) -> VideoWriter:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self._writer.release()

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """One more frame, (height, width, 3); ValueError for another size."""
        if rgb.shape[1::-1] != self._size_px:
            raise ValueError(f'frame is {rgb.shape[1::-1]}, the video {self._size_px}')
        self._writer.write(np.ascontiguousarray(rgb[..., ::-1]))
        self.frame_count += 1


def evenly_spaced(
    times_s: Sequence[float], rate_hz: float = RATE_HZ, last_s: float = 0.0
) -> Iterator[int]:
    """Which frame to show at each tick: the newest there is.

    Args:
        times_s: when the frames were taken, ascending.
        rate_hz: of the ticks; the first is at the first frame.
        last_s: how long the last frame stays.
    """
    if not times_s:
        return
    ticks = int((times_s[-1] + last_s - times_s[0]) * rate_hz + 1e-6) + 1
    for tick in range(ticks):
        now_s = times_s[0] + tick / rate_hz
        yield int(np.searchsorted(times_s, now_s + 1e-6, side='right')) - 1


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """OpenCV says on standard error that VP80 is not WebM's own name for VP8, and goes on."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
