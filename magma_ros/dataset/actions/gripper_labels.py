"""Openings as they were measured -> open or closed, from what has happened so far.

OpenVLA takes the *next* settled value for everything in between, which looks into the future.
Here a gripper that moves is going where it moves to, and one that rests in between (it holds
something) is what it last was.
"""

from __future__ import annotations

SETTLED_OPEN, SETTLED_CLOSED = 0.95, 0.05  # OpenVLA, binarize_gripper_actions
MOVING = 0.02  # of the opening from sample to sample


class GripperLabels:
    """The labels of one episode, one sample after the other."""

    def __init__(self, opening: float) -> None:
        self._opening = opening
        self._label = 1.0 if opening >= 0.5 else 0.0

    def next(self, opening: float) -> float:
        """1 open or 0 closed: what the gripper was doing until it had this opening."""
        moved = opening - self._opening
        self._opening = opening
        if opening > SETTLED_OPEN:
            self._label = 1.0
        elif opening < SETTLED_CLOSED:
            self._label = 0.0
        elif abs(moved) > MOVING:
            self._label = 1.0 if moved > 0.0 else 0.0
        return self._label
