"""The pictures of one episode on disk: a JPEG each, or a video of each camera."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.export.picture_statistics import PictureStatistics
from magma_ros.errors import EnvironmentMissing, RecordingError

Rgb = NDArray[np.uint8]
# As LeRobot: every second frame is a key frame, so that training finds any frame fast.
X264 = {'preset': 'ultrafast', 'crf': '20', 'g': '2', 'bf': '0', 'threads': '1'}

MEASURED_EVERY = 5  # steps: colours change slowly


class Frames(Protocol):
    """Takes the pictures of one step after the other."""

    def add(self, index: int, pictures: Mapping[str, Rgb]) -> None:
        """The pictures of step ``index``, by camera."""

    def close(self) -> None:
        """Everything is on disk."""


class JpegFrames:
    """``frames/<camera>/000000.jpg``."""

    def __init__(self, folder: Path, quality: int) -> None:
        self._folder, self._quality = folder / 'frames', quality

    def add(self, index: int, pictures: Mapping[str, Rgb]) -> None:
        """Write a file for each camera."""
        for camera, rgb in pictures.items():
            path = self._folder / camera / f'{index:06d}.jpg'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_jpeg(rgb, self._quality))

    def close(self) -> None:
        """Nothing is left to do."""


def encode_jpeg(rgb: Rgb, quality: int) -> bytes:
    """The same bytes for the same pixels."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


class VideoFrames:
    """``<camera>.mp4``, x264 in yuv420p. One thread, so that the bytes are always the same."""

    def __init__(self, folder: Path, rate_hz: int) -> None:
        self._folder, self._rate_hz = folder, rate_hz
        self._av = load_av()
        self._open: dict[str, tuple[Any, Any]] = {}

    def add(self, index: int, pictures: Mapping[str, Rgb]) -> None:
        """Encode a frame for each camera.

        Raises:
            RecordingError: the size is odd, or not that of the first.
        """
        for camera, rgb in pictures.items():
            height, width = rgb.shape[:2]
            if camera not in self._open:
                self._open[camera] = self._begin(camera, width, height)
            container, stream = self._open[camera]
            if (stream.width, stream.height) != (width, height):
                raise RecordingError(
                    f'pictures of {camera} change from {stream.width} x {stream.height} to '
                    f'{width} x {height}; give --size'
                )
            frame = self._av.VideoFrame.from_ndarray(rgb, format='rgb24')
            frame.pts = index
            for packet in stream.encode(frame):
                container.mux(packet)

    def _begin(self, camera: str, width: int, height: int) -> tuple[Any, Any]:
        if width % 2 or height % 2:
            raise RecordingError(f'{camera}: {width} x {height}; videos need even sizes: --size')
        path = str(self._folder / f'{camera}.mp4')
        container = self._av.open(path, 'w', options={'fflags': '+bitexact'})
        stream = container.add_stream('libx264', rate=self._rate_hz, options=X264)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        stream.codec_context.thread_count = 1
        return container, stream

    def close(self) -> None:
        """Write what the encoders still hold."""
        for container, stream in self._open.values():
            for packet in stream.encode():
                container.mux(packet)
            container.close()
        self._open.clear()


def load_av() -> Any:
    """PyAV.

    Raises:
        EnvironmentMissing: it is not installed.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise EnvironmentMissing('videos need PyAV: pip install .[data]') from error
    return av


class MeasuredFrames:
    """Passes pictures on and measures their colours."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self.statistics: dict[str, PictureStatistics] = {}

    def add(self, index: int, pictures: Mapping[str, Rgb]) -> None:
        """As :class:`Frames`."""
        self._frames.add(index, pictures)
        if index % MEASURED_EVERY:
            return
        for camera, rgb in pictures.items():
            self.statistics.setdefault(camera, PictureStatistics()).add(rgb)

    def close(self) -> None:
        """As :class:`Frames`."""
        self._frames.close()
