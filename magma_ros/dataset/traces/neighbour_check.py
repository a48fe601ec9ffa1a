"""Does a moving point move as the things around it do?

Pieces of an arm are stiff: where a point goes follows from where its neighbours go, up to a turn
and a change of size. Points that slide along an edge, or hang on an outline that turns away from
under them, are told apart by that and by nothing in the picture itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray
from magma_ros.dataset.traces.trace_settings import TraceSettings

FEWEST = 3  # neighbours that can outvote one that is wrong
STIFFNESS = 50.0  # cells squared; neighbours close together do not tell a turn from their noise
CHECKED_STEPS = (4, 8, 15)
LEAST_CELLS = 1.0


def moves_like_neighbours(tracks: FloatArray, settings: TraceSettings) -> NDArray[np.bool_]:
    """(n,) for moving tracks (T, n, 2) in cells; with fewer than FEWEST neighbours: no."""
    length, count = tracks.shape[:2]
    agrees = np.zeros(count, bool)
    start = tracks[0]
    for index in range(count):
        order = np.argsort(np.linalg.norm(start - start[index], axis=1), kind='stable')
        others = order[order != index]
        last = int(np.flatnonzero(np.isfinite(tracks[:, index, 0]))[-1])
        steps = {min(step, last) for step in CHECKED_STEPS}
        agrees[index] = all(
            _residual(tracks[[0, step]], index, others, settings.neighbours)
            <= max(LEAST_CELLS, settings.neighbour_cells * step)
            for step in steps
        )
    return agrees


def _residual(moved: FloatArray, index: int, others: NDArray[np.int64], neighbours: int) -> float:
    """How far a point is from where its neighbours say, (2, n, 2): before and after."""
    others = others[np.isfinite(moved[1, others, 0])][:neighbours]
    if len(others) < FEWEST:
        return np.inf
    before, after = moved[:, others]
    middle_before, middle_after = before.mean(axis=0), after.mean(axis=0)
    x, y = before - middle_before, after - middle_after
    size = (x * x).sum() + STIFFNESS
    turn = (x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum() / size
    scale = ((x * y).sum() + STIFFNESS) / size
    similarity = np.array([[scale, -turn], [turn, scale]])
    expected = middle_after + similarity @ (moved[0, index] - middle_before)
    return float(np.linalg.norm(expected - moved[1, index]))
