"""A video file as a source: stamps are those of the container."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from magma_ros.camera.frame_source import (
    CLOSED,
    ENDED,
    STREAMING,
    Frame,
    SourceState,
    require_open,
)
from magma_ros.camera.lens import UNKNOWN_POSE, Lens, assume_lens
from magma_ros.data_types import CameraImage, Pose
from magma_ros.errors import CameraError
from magma_ros.image.picture_file import LARGEST_PX


class VideoFile:
    """See ``CameraSource``. Stamps count from the begin of the video.

    Args:
        path: whatever OpenCV's FFmpeg reads.
        lens: None assumes one, see ``assume_lens``.
        pose_camera_in_base: where the camera stood.
        frame_id: of the pictures.
    """

    def __init__(
        self,
        path: Path,
        lens: Lens | None = None,
        pose_camera_in_base: Pose = UNKNOWN_POSE,
        frame_id: str = 'camera_color_optical_frame',
    ) -> None:
        self._path, self._given_lens = path, lens
        self._pose, self._frame_id = pose_camera_in_base, frame_id
        self._capture: cv2.VideoCapture | None = None
        self._last_ns = -1
        self.state: SourceState = CLOSED

    def __len__(self) -> int:
        """How many pictures the container claims, once it was opened; 0 if it does not say."""
        return max(0, round(self._read_property(cv2.CAP_PROP_FRAME_COUNT)))

    def open(self) -> None:
        """Open the file.

        Raises:
            CameraError: it is missing, no video, too large, or of another size than the lens.
        """
        self.close()
        if not self._path.is_file():
            raise CameraError(f'{self._path} does not exist: name a video file')
        self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        width = round(self._read_property(cv2.CAP_PROP_FRAME_WIDTH))
        height = round(self._read_property(cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._capture.isOpened() or width * height == 0:
            self.close()
            raise CameraError(
                f'{self._path} is no video OpenCV can read: convert it to .mp4 or .webm'
            )
        if width * height > LARGEST_PX:
            self.close()
            raise CameraError(f'{self._path} has pictures of {width} x {height}: make it smaller')
        self._lens = self._given_lens or assume_lens(width, height)
        if (self._lens.width_px, self._lens.height_px) != (width, height):
            self.close()
            raise CameraError(
                f'{self._path} is {width} x {height}, the lens was calibrated for '
                f'{self._lens.width_px} x {self._lens.height_px}: calibrate at that size'
            )
        self._last_ns = -1
        self.state = STREAMING

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture, without waiting."""
        require_open(self.state)
        assert self._capture is not None
        was_read, bgr = self._capture.read()
        if not was_read:
            self.state = ENDED
            return None
        stamp_ns = round(self._read_property(cv2.CAP_PROP_POS_MSEC) * 1e6)
        if stamp_ns <= self._last_ns:
            raise CameraError(
                f'{self._path}: the stamp {stamp_ns * 1e-9:.3f} s follows '
                f'{self._last_ns * 1e-9:.3f} s; mend it with ffmpeg -i IN -fps_mode cfr OUT'
            )
        self._last_ns = stamp_ns
        image = CameraImage(np.ascontiguousarray(bgr[..., ::-1]), stamp_ns, self._frame_id)
        return Frame(image, None, self._lens.camera_model(self._pose))

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None
        self.state = CLOSED

    def _read_property(self, number: int) -> float:
        return 0.0 if self._capture is None else self._capture.get(number)
