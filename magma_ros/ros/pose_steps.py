"""A pose that walks towards a goal in small steps: pose targets that jump make Servo swing."""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import Pose
from magma_ros.rotations import rotation_difference, rotation_of, turn_quaternion

SPEED_M_S = 0.1
ANGULAR_SPEED_RAD_S = 0.5


class PoseSteps:
    """Not faster than SPEED_M_S and ANGULAR_SPEED_RAD_S, both arriving together."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self.last: Pose | None = None  # what was sent last

    def forget(self) -> None:
        """Begin at the measured pose next time."""
        self.last = None

    def next(self, goal: Pose, measured: Pose) -> Pose:
        """The pose to send now."""
        here = self.last or measured
        way = goal.translation_m - here.translation_m
        turn = rotation_difference(rotation_of(here), rotation_of(goal))
        periods = max(
            float(np.linalg.norm(way)) / (SPEED_M_S * self._period_s),
            float(np.linalg.norm(turn)) / (ANGULAR_SPEED_RAD_S * self._period_s),
            1.0,
        )
        quaternion = turn_quaternion(here.quaternion_xyzw, turn / periods)
        self.last = Pose(here.translation_m + way / periods, quaternion)
        return self.last
