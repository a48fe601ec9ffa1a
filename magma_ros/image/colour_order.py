"""Are red and blue swapped? The colours of a picture against those of a reference picture.

Wood and skin are redder than blue, sky and screens the other way round; a policy trained on one
sees nonsense in the other. A driver that says rgb8 and sends bgr8 is not noticed by any size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.image.image_checks import Effect, Finding

Picture = NDArray[np.uint8]
BINS = 32
STEP = 4  # every fourth pixel of every fourth row is enough
NEARER = 0.15  # by which the swapped picture must be nearer (Bhattacharyya, 0 to 1)


class ColourOrder:
    """Compares pictures with a reference of the same camera and place."""

    def __init__(self, reference_rgb: Picture) -> None:
        self._reference = _chroma_histogram(reference_rgb)

    def swap_evidence(self, rgb: Picture) -> float:
        """How much nearer to the reference the picture is with red and blue swapped, -1 to 1."""
        as_it_is = _distance(self._reference, _chroma_histogram(rgb))
        return as_it_is - _distance(self._reference, _chroma_histogram(rgb[..., ::-1]))

    def find_fault(self, rgb: Picture) -> Finding | None:
        """``CAMERA_COLOURS`` when red and blue seem to be swapped."""
        evidence = self.swap_evidence(rgb)
        if evidence < NEARER:
            return None
        return Finding(
            'CAMERA_COLOURS',
            f'with red and blue swapped the picture is nearer to its reference ({evidence:.2f} of '
            '1); look at the encoding the camera driver names',
            Effect.WARN,
        )


def _chroma_histogram(rgb: Picture) -> NDArray[np.float32]:
    """Over the two colour differences, whatever the brightness."""
    small = np.ascontiguousarray(rgb[::STEP, ::STEP])
    chroma = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
    counts = cv2.calcHist([chroma], [1, 2], None, [BINS, BINS], [0, 256, 0, 256])
    counts = cv2.GaussianBlur(counts, (3, 3), 0)
    return counts / counts.sum()


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(cv2.compareHist(one, other, cv2.HISTCMP_BHATTACHARYYA))
