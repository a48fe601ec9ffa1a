"""What every point tracker gives: for each frame, where its points will be later on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class TrackWindow:
    """The points of one start frame through the frames that follow.

    Pixels are continuous: the middle of the first pixel is at (0.5, 0.5).
    """

    frames: tuple[Picture, ...]  # T of them, (height, width, 3), the start frame first
    points_px: FloatArray  # (T, n, 2), NaN where a point is not seen


class Tracker(Protocol):
    """Follows points through a video; memory does not grow with its length."""

    def windows(self, frames: Iterable[Picture], horizon: int) -> Iterator[TrackWindow]:
        """One window for each frame, in their order; windows near the end are shorter.

        Args:
            frames: RGB of one size.
            horizon: frames of a window.
        """
