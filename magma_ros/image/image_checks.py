"""Is this picture worth asking a model about?

Each fault has a name that ends up in the state message.
"""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import CameraImage

DARK_MEAN, FLAT_STD = 5.0, 2.0  # of 255: below, the lens is covered or the light is off
FROZEN_NS = 500_000_000  # the same pixels for this long are no live picture


def find_fault(image: CameraImage, size_px: tuple[int, int]) -> str | None:
    """Name of what is wrong with one picture, None when nothing is.

    Args:
        image: the picture.
        size_px: expected (width, height).

    Returns:
        ``CAMERA_FORMAT`` (shape, type or size) or ``CAMERA_DARK`` (black, or one flat colour).
    """
    width, height = size_px
    if image.rgb.dtype != np.uint8 or image.rgb.shape != (height, width, 3):
        return 'CAMERA_FORMAT'
    sample = image.rgb[::8, ::8]
    if sample.mean() < DARK_MEAN or sample.std() < FLAT_STD:
        return 'CAMERA_DARK'
    return None


class FrozenDetector:
    """Notices a camera that sends the same picture again and again under new stamps."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._since_ns = 0

    def is_frozen(self, image: CameraImage) -> bool:
        """Whether no pixel has changed for FROZEN_NS. Real sensors have noise; renderers move."""
        if self._last is None or not np.array_equal(self._last, image.rgb):
            self._last, self._since_ns = image.rgb, image.stamp_ns
            return False
        return image.stamp_ns - self._since_ns >= FROZEN_NS
