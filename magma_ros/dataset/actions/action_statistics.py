"""Statistics of the actions of a dataset, in OpenVLA's ``dataset_statistics.json``.

Quantiles are exact, over all steps of the training split; LeRobot's are bounds over episodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError

MASK = [True] * 6 + [False]  # the gripper is not scaled


def describe_values(values: FloatArray) -> dict[str, list[float]]:
    """Mean, std, min, max, q01 and q99 of (n, d) values, by dimension."""
    return {
        'mean': values.mean(axis=0).tolist(),
        'std': values.std(axis=0).tolist(),
        'max': values.max(axis=0).tolist(),
        'min': values.min(axis=0).tolist(),
        'q01': np.quantile(values, 0.01, axis=0).tolist(),
        'q99': np.quantile(values, 0.99, axis=0).tolist(),
    }


def dataset_statistics(
    key: str, actions: FloatArray, states: FloatArray, episodes: int
) -> dict[str, Any]:
    """``{key: {action, proprio, num_transitions, num_trajectories}}``.

    Args:
        key: name of the dataset.
        actions: (n, 7) m, rad (Euler), gripper.
        states: (n, 7).
        episodes: that they come from.

    Raises:
        ConfigurationError: there is no step.
    """
    if not len(actions):
        raise ConfigurationError('no step is left for statistics; magma data check says why')
    return {
        key: {
            'action': {**describe_values(actions), 'mask': MASK},
            'proprio': describe_values(states),
            'num_transitions': len(actions),
            'num_trajectories': episodes,
        }
    }


def share_beyond(actions: FloatArray, low: Sequence[float], high: Sequence[float]) -> FloatArray:
    """(7,) share of the actions that lie outside of the quantiles and will be clipped."""
    values = np.asarray(actions)
    return ((values < np.asarray(low)) | (values > np.asarray(high))).mean(axis=0)
