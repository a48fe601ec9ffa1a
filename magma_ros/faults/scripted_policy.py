"""What the rig's policy wants: motions that keep the arm at speed, or drive it somewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import EndEffectorDelta, FloatArray

STEP_M = 0.045  # five times a second: more than the arm may, so that it always runs at its limit
TURN_RAD = 0.2
TURN_BACK_M = 0.12  # to either side of the middle


@dataclass
class ScriptedPolicy:
    """Deltas at a place. ``wish`` is ``still``, ``sweep``, ``shake``, ``gripper``, ``drive``.

    ``direction`` (6,) is where ``drive`` goes: shares of STEP_M and TURN_RAD.
    """

    middle_m: FloatArray  # (3,)
    wish: str = 'still'
    direction: tuple[float, ...] = (0.0,) * 6
    _side: float = 1.0
    _steps: int = 0

    def next_delta(self, tip_m: FloatArray) -> EndEffectorDelta:
        """The next step, from where the tip is."""
        self._steps += 1
        alternating = 1.0 if self._steps % 2 else -1.0
        move, turn, opening = np.zeros(3), np.zeros(3), 1.0
        if self.wish == 'sweep':
            move = self._sweep(tip_m)
        elif self.wish == 'shake':
            move = np.array([0.0, alternating * STEP_M, 0.0])
        elif self.wish == 'gripper':
            opening = 1.0 if self._steps % 2 else 0.0
        elif self.wish == 'drive':
            move = STEP_M * np.array(self.direction[:3])
            turn = TURN_RAD * np.array(self.direction[3:])
        return EndEffectorDelta(move, turn, opening)

    def _sweep(self, tip_m: FloatArray) -> FloatArray:
        """Left and right at full speed, drifting back to the middle in x and z."""
        away = tip_m - self.middle_m
        if abs(away[1]) > TURN_BACK_M:
            self._side = -float(np.sign(away[1]))
        back = np.clip(-away, -0.01, 0.01)
        return np.array([back[0], self._side * STEP_M, back[2]])
