"""Statistics as LeRobot keeps them, of numbers and of pictures. Quantiles are exact here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from magma_ros.dataset.export.picture_statistics import QUANTILES, PictureStatistics
from magma_ros.dataset.export.staged_episode import StagedEpisode


def describe(values: np.ndarray) -> dict[str, Any]:
    """Of (n,) or (n, d) numbers: lists of d."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    return {
        'min': rows.min(axis=0).tolist(),
        'max': rows.max(axis=0).tolist(),
        'mean': rows.mean(axis=0).tolist(),
        'std': rows.std(axis=0).tolist(),
        'count': [len(rows)],
        **{name: np.quantile(rows, share, axis=0).tolist() for name, share in QUANTILES.items()},
    }


def join_pictures(episodes: Sequence[StagedEpisode], camera: str) -> PictureStatistics:
    """Colours of one camera in all episodes."""
    return PictureStatistics.joined(one.about['colours'][camera] for one in episodes)
