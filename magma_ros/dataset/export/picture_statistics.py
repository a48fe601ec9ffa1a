"""Mean, spread and quantiles of colours, from histograms: memory does not grow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPACING = 8  # every eighth pixel either way
QUANTILES = {'q01': 0.01, 'q10': 0.1, 'q50': 0.5, 'q90': 0.9, 'q99': 0.99}


class PictureStatistics:
    """Of one camera."""

    def __init__(self) -> None:
        self.counts = np.zeros((3, 256), np.int64)
        self.frames = 0

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Take a picture into account."""
        sample = rgb[::SPACING, ::SPACING].reshape(-1, 3)
        for colour in range(3):
            self.counts[colour] += np.bincount(sample[:, colour], minlength=256)
        self.frames += 1

    def to_json(self) -> dict[str, Any]:
        """For an episode's record."""
        return {'frames': self.frames, 'counts': self.counts.tolist()}

    @staticmethod
    def joined(parts: Iterable[dict[str, Any]]) -> PictureStatistics:
        """Of several episodes together."""
        whole = PictureStatistics()
        for part in parts:
            whole.counts += np.array(part['counts'], np.int64)
            whole.frames += int(part['frames'])
        return whole

    def describe(self) -> dict[str, Any]:
        """LeRobot's statistics of pictures: (3, 1, 1) in 0..1, ``count`` in frames."""
        levels = np.arange(256) / 255.0
        total = self.counts.sum(axis=1)
        mean = (self.counts @ levels) / total
        variance = (self.counts @ levels**2) / total - mean**2
        reached = np.cumsum(self.counts, axis=1)
        values = {
            'min': [levels[row.nonzero()[0][0]] for row in self.counts],
            'max': [levels[row.nonzero()[0][-1]] for row in self.counts],
            'mean': mean,
            'std': np.sqrt(np.maximum(variance, 0.0)),
            **{
                name: [levels[np.searchsorted(row, share * row[-1])] for row in reached]
                for name, share in QUANTILES.items()
            },
        }
        shaped = {name: [[[float(one)]] for one in value] for name, value in values.items()}
        return {**shaped, 'count': [self.frames]}
