"""A folder of pictures as a source: in the order people number them, at a rate of your choice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

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
from magma_ros.errors import CameraError, ConfigurationError
from magma_ros.image.picture_file import read_picture

SUFFIXES = ('.jpg', '.jpeg', '.png')


class PictureFolder:
    """See ``CameraSource``. Stamps begin at 0 and are ``1 / rate_hz`` apart.

    Args:
        folder: its .jpg and .png are read, sub-folders are not.
        rate_hz: of the pictures.
        lens: None assumes one, see ``assume_lens``.
        pose_camera_in_base: where the camera stood.
        frame_id: of the pictures.
    """

    def __init__(
        self,
        folder: Path,
        rate_hz: float = 5.0,
        lens: Lens | None = None,
        pose_camera_in_base: Pose = UNKNOWN_POSE,
        frame_id: str = 'camera_color_optical_frame',
    ) -> None:
        if not rate_hz > 0.0:
            raise ConfigurationError(f'the rate of pictures is {rate_hz} Hz: it must be above 0')
        self._folder, self._rate_hz, self._lens = folder, rate_hz, lens
        self._pose, self._frame_id = pose_camera_in_base, frame_id
        self._paths: list[Path] = []
        self._next = 0
        self._size_px: tuple[int, int] | None = None
        self.state: SourceState = CLOSED

    def __len__(self) -> int:
        """How many pictures there are, once it was opened."""
        return len(self._paths)

    def open(self) -> None:
        """List the pictures.

        Raises:
            CameraError: there is no such folder, or it has no pictures.
        """
        if not self._folder.is_dir():
            raise CameraError(f'{self._folder} is no folder: name one that holds .jpg or .png')
        self._paths = naturally_sorted(
            path for path in self._folder.iterdir() if path.suffix.lower() in SUFFIXES
        )
        if not self._paths:
            raise CameraError(f'{self._folder} holds no .jpg or .png: name another folder')
        self._next = 0
        self._size_px = (self._lens.width_px, self._lens.height_px) if self._lens else None
        self.state = STREAMING

    def read(self, timeout_s: float) -> Frame | None:
        """The next picture, without waiting."""
        require_open(self.state)
        if self._next == len(self._paths):
            self.state = ENDED
            return None
        path = self._paths[self._next]
        rgb = read_picture(path)
        size_px = rgb.shape[1], rgb.shape[0]
        self._size_px = self._size_px or size_px
        if size_px != self._size_px:
            raise CameraError(
                f'{path} is {size_px[0]} x {size_px[1]} instead of '
                f'{self._size_px[0]} x {self._size_px[1]}: one folder, one camera'
            )
        stamp_ns = round(self._next / self._rate_hz * 1e9)
        self._next += 1
        lens = self._lens or assume_lens(*size_px)
        image = CameraImage(rgb, stamp_ns, self._frame_id)
        return Frame(image, None, lens.camera_model(self._pose))

    def close(self) -> None:
        """Forget where it was."""
        self.state = CLOSED


def naturally_sorted(paths: Iterable[Path]) -> list[Path]:
    """``view_9.png`` before ``view_10.png``."""

    def key(path: Path) -> list[tuple[bool, int, str]]:
        parts = re.findall(r'\d+|\D+', path.name)
        return [
            (False, int(part), part) if part.isdecimal() else (True, 0, part.lower())
            for part in parts
        ]

    return sorted(paths, key=key)
