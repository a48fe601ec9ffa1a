"""How far the way of the gripper is from the trace that was predicted for it.

Dynamic time warping: both ways are matched point by point in their order, and the distances of the
pairs are averaged. A way that is not finished is matched with the begin of the trace (open end),
so that slowness is no distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from magma_ros.data_types import FloatArray

SAMPLES = 24  # of equal length along each way


@dataclass(frozen=True)
class TraceDistance:
    """Mean distance of the matched points."""

    px: float
    mm: float  # across the line of sight, at the distance at which the gripper is


def trace_distance(
    predicted_px: FloatArray, executed_px: FloatArray, metres_per_px: FloatArray
) -> TraceDistance | None:
    """The distance between the trace and the way so far.

    Args:
        predicted_px: (n, 2) the trace, beginning where the gripper was.
        executed_px: (m, 2) where the gripper has been since then, oldest first.
        metres_per_px: (m,) what a pixel spans at each of those points (``projection.py``).

    Returns:
        None when one of the ways has no finite point.
    """
    trace = _finite(np.asarray(predicted_px, dtype=float))
    way = _finite(np.column_stack([executed_px, metres_per_px]))
    if len(trace) == 0 or len(way) == 0:
        return None
    trace, way = _resample(trace), _resample(way)
    away_px = np.linalg.norm(way[:, None, :2] - trace[None], axis=2)
    away_m = away_px * way[:, None, 2]
    return _match(away_px, away_m)


def _match(away_px: FloatArray, away_m: FloatArray) -> TraceDistance:
    """The cheapest match of all rows, in order, with the columns up to any of them."""
    rows, columns = away_px.shape
    sums = np.full((rows + 1, columns + 1, 3), np.inf)  # px, m and pairs on the best way here
    sums[0, 0] = 0.0
    for row, column in np.ndindex(rows, columns):
        before = (sums[row, column], sums[row, column + 1], sums[row + 1, column])
        pair = (away_px[row, column], away_m[row, column], 1.0)
        sums[row + 1, column + 1] = min(before, key=itemgetter(0)) + pair
    means = sums[-1, 1:, :2] / sums[-1, 1:, 2:]
    px, metres = means[np.argmin(means[:, 0])]
    return TraceDistance(float(px), float(metres) * 1e3)


def _finite(points: FloatArray) -> FloatArray:
    return points[np.isfinite(points).all(axis=1)]


def _resample(points: FloatArray) -> FloatArray:
    """Points of equal distance along the line; a way that stands still is one point."""
    steps = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] == 0.0:
        return points[-1:]
    wanted = np.linspace(0.0, along[-1], SAMPLES)
    return np.column_stack([np.interp(wanted, along, column) for column in points.T])
