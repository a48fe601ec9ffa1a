"""Plays joint trajectories as ros2_control does: a new one replaces the old."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray


@dataclass(frozen=True)
class TrajectoryPoint:
    """Where to be when. Velocities None: straight line from the point before."""

    time_s: float  # on the player's clock
    positions_rad: FloatArray  # (dof,)
    velocities_rad_s: FloatArray | None = None  # (dof,)


class TrajectoryPlayer:
    """Positions over time; holds the last point for ever. Cubic where velocities are given."""

    def __init__(self, joints_rad: FloatArray) -> None:
        self._points: list[TrajectoryPoint] = []
        self.reset(joints_rad)

    def reset(self, joints_rad: FloatArray) -> None:
        """Forget the trajectory and stay at these joints."""
        self._points = [TrajectoryPoint(0.0, np.array(joints_rad), np.zeros(len(joints_rad)))]

    def replace(self, points: list[TrajectoryPoint], now_s: float) -> bool:
        """Go from where we are now to the first point that is not past, and on from there.

        Returns:
            False when every point is past or there is none; the old trajectory then goes on.
        """
        future = [point for point in points if point.time_s > now_s]
        if not future:
            return False
        here, speed = self.at(now_s)
        self._points = [TrajectoryPoint(now_s, here, speed), *future]
        return True

    def stop(self, now_s: float) -> None:
        """Stay where we are."""
        self.reset(self.at(now_s)[0])

    def is_done(self, now_s: float) -> bool:
        """Whether the last point has been reached by the clock."""
        return now_s >= self._points[-1].time_s

    def at(self, now_s: float) -> tuple[FloatArray, FloatArray]:
        """Positions (rad) and velocities (rad/s) at a time."""
        last = self._points[-1]
        if now_s >= last.time_s:
            return last.positions_rad, np.zeros_like(last.positions_rad)
        while len(self._points) > 2 and self._points[1].time_s <= now_s:
            self._points.pop(0)
        return _between(self._points[0], self._points[1], now_s)


def _between(
    start: TrajectoryPoint, end: TrajectoryPoint, now_s: float
) -> tuple[FloatArray, FloatArray]:
    span_s = end.time_s - start.time_s
    share = min(max((now_s - start.time_s) / span_s, 0.0), 1.0)
    way = end.positions_rad - start.positions_rad
    if start.velocities_rad_s is None or end.velocities_rad_s is None:
        return start.positions_rad + share * way, way / span_s
    # Cubic Hermite polynomial through both positions and velocities.
    u, first, last = share, start.velocities_rad_s * span_s, end.velocities_rad_s * span_s
    position = (
        start.positions_rad
        + first * u
        + (3 * way - 2 * first - last) * u**2
        + (first + last - 2 * way) * u**3
    )
    slope = first + 2 * (3 * way - 2 * first - last) * u + 3 * (first + last - 2 * way) * u**2
    return position, slope / span_s
