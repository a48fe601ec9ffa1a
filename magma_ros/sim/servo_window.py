"""The rolling window of joint states that Servo publishes as trajectories.

Points are stamped ``max_expected_latency`` ahead; a trajectory is the whole window but for the
newest point, whose velocity is known only one period later. Source: moveit_servo 2.12.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.sim.servo_records import JointPoint

FEWEST_POINTS = 3


class PointWindow:
    """States from ``latency_s`` ago to ``latency_s`` ahead."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._points: deque[JointPoint] = deque()

    @property
    def newest(self) -> JointPoint | None:
        """The point furthest ahead."""
        return self._points[-1] if self._points else None

    def clear(self) -> None:
        """Forget all."""
        self._points.clear()

    def append(self, now_s: float, positions: FloatArray, velocities: FloatArray) -> JointPoint:
        """Add the state of this loop; its velocity, and that of the point before, from both."""
        added = JointPoint(now_s + self._latency_s, positions, velocities)
        while self._points and self._points[0].time_s < now_s - self._latency_s:
            self._points.popleft()
        if len(self._points) >= 2:
            before, last = self._points[-2], self._points[-1]
            speed = _slower_speed(before, last, added)
            self._points[-1] = replace(last, velocities_rad_s=speed)
            added = replace(added, velocities_rad_s=speed)
        self._points.append(added)
        return added

    def trajectory(self) -> tuple[JointPoint, ...]:
        """What to publish; empty while there are fewer than three states."""
        return tuple(self._points)[:-1] if len(self._points) >= FEWEST_POINTS else ()


def _slower_speed(before: JointPoint, last: JointPoint, added: JointPoint) -> FloatArray:
    """Slower of the speeds before and after ``last``, 0 where the direction changes there."""
    ahead = added.positions_rad - last.positions_rad
    behind = last.positions_rad - before.positions_rad
    ahead_speed = ahead / (added.time_s - last.time_s)
    behind_speed = behind / (last.time_s - before.time_s)
    slower = np.where(np.abs(ahead_speed) < np.abs(behind_speed), ahead_speed, behind_speed)
    return np.where(np.sign(-behind) == np.sign(ahead), 0.0, slower)
