"""When auto-exposure has settled: the first pictures after a start are too dark or too bright."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

SAME_FOR = 5  # pictures
SAME_WITHIN = 2.0  # of 255, of their mean brightness
MOST_PICTURES = 30  # then it will not settle any more: something moves, or a lamp flickers


class ExposureSettling:
    """Asked with each picture after a start."""

    def __init__(self) -> None:
        self._means: deque[float] = deque(maxlen=SAME_FOR)
        self._count = 0
        self._is_settled = False

    def is_settled(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether this picture may be used; once true, always true."""
        if self._is_settled:
            return True
        self._count += 1
        self._means.append(float(rgb[::8, ::8].mean()))
        is_steady = (
            len(self._means) == SAME_FOR and max(self._means) - min(self._means) <= SAME_WITHIN
        )
        self._is_settled = is_steady or self._count >= MOST_PICTURES
        return self._is_settled
