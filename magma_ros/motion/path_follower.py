"""Follows a lifted path (HAMSTER style): deltas that carry the gripper from contact to contact.

What the points mean, in the order of the path:

* a point with CLOSE: come down onto it, close; when nothing follows, lift straight up
* a point with OPEN: carry over it, come down, open, rise
* points after a CLOSE that never opens: move there along the surface (a push)
* a last point without an event and without a CLOSE before it: go close above it (a reach)

The follower decides on the measured arm alone; what comes out is limited like any other source.
"""

from __future__ import annotations

import enum

import numpy as np

from magma_ros.data_types import ArmState, EndEffectorDelta, GripperEvent, GuidedPath, is_push
from magma_ros.motion.approach import (
    ToolGoal,
    delta_towards,
    misalignment_rad,
    nearest_square_yaw,
    tilt_rad,
)
from magma_ros.motion.funnel import funnel_height, rise_first, rise_to_align
from magma_ros.rotations import euler_from_down

GRASP_BELOW_TOP_M = 0.012  # the fingers close this far below the top of a block
PUSH_HEIGHT_M = 0.020
REACH_ABOVE_M = 0.025
HOVER_M, CARRY_M, LIFT_M, HIGHEST_M = 0.085, 0.115, 0.13, 0.20
DROP_ABOVE_M = 0.030  # of the tool above the surface under the thing it drops
CLOSING_STEPS, OPENING_STEPS = 4, 3


class _Phase(enum.Enum):
    APPROACH = 'approach'
    CLOSE = 'close'
    LIFT = 'lift'
    CARRY = 'carry'
    OPEN = 'open'
    RETREAT = 'retreat'
    PUSH = 'push'


class PathFollower:
    """One run along one path; :meth:`step` once per control step of the policy."""

    def __init__(self, path: GuidedPath) -> None:
        self._path = path
        self._contact = 0  # index of the contact being worked on
        self._waited = 0
        first = path.events.get(0)
        self._phase = _Phase.CARRY if first is GripperEvent.OPEN else _Phase.APPROACH
        self._is_push = is_push(path.events, len(path.points_in_base_m))
        self._gripper = 0.0 if first is GripperEvent.OPEN or self._is_push else 1.0

    @property
    def path(self) -> GuidedPath:
        """The path being followed."""
        return self._path

    def step(self, arm: ArmState) -> EndEffectorDelta:
        """The next displacement from the measured pose."""
        goal = self._HANDLERS[self._phase](self, arm)
        pose = arm.pose_gripper_in_base
        return delta_towards(goal, pose.translation_m, euler_from_down(pose))

    def _approach(self, arm: ArmState) -> ToolGoal:
        """Down a funnel onto the contact; closes when in place."""
        point = self._path.points_in_base_m[self._contact]
        tool = arm.pose_gripper_in_base.translation_m
        euler = euler_from_down(arm.pose_gripper_in_base)
        closes = self._path.events.get(self._contact) is GripperEvent.CLOSE
        if self._is_push:
            yaw, floor = 0.0, point[2] + PUSH_HEIGHT_M
        else:
            yaw = nearest_square_yaw(float(self._path.yaw_rad[self._contact]), float(euler[2]))
            floor = (
                max(point[2] - GRASP_BELOW_TOP_M, 0.018) if closes else point[2] + REACH_ABOVE_M
            )
        away = float(np.hypot(*(point - tool)[:2]))
        misaligned = misalignment_rad(yaw, euler)
        raised = rise_to_align(misaligned, tilt_rad(euler))
        height = min(funnel_height(floor, HOVER_M, away, 3.5, 0.008) + raised, HIGHEST_M)
        if closes and away < 0.008 and tool[2] - floor < 0.006 and misaligned < 0.1:
            self._go(_Phase.PUSH if self._is_push else _Phase.CLOSE)
        lateral = rise_first(tool[2], 0.045, 0.02) if away > 0.02 else 1.0
        return ToolGoal(np.array([point[0], point[1], height]), yaw, self._gripper, lateral)

    def _close(self, arm: ArmState) -> ToolGoal:
        self._gripper = 0.0
        self._waited += 1
        if self._waited >= CLOSING_STEPS:
            self._contact += 1
            rest = range(self._contact, len(self._path.points_in_base_m))
            carries = any(self._path.events.get(i) is GripperEvent.OPEN for i in rest)
            self._go(_Phase.CARRY if carries else _Phase.LIFT)
        return self._stay(arm)

    def _lift(self, arm: ArmState) -> ToolGoal:
        tool = arm.pose_gripper_in_base.translation_m
        return ToolGoal(np.array([tool[0], tool[1], LIFT_M]), self._yaw(arm), 0.0)

    def _carry(self, arm: ArmState) -> ToolGoal:
        """Up, over the place, and down; opens when there."""
        point = self._path.points_in_base_m[self._contact]
        tool = arm.pose_gripper_in_base.translation_m
        away = float(np.hypot(*(point - tool)[:2]))
        floor = point[2] + DROP_ABOVE_M
        height = funnel_height(floor, CARRY_M, away, 3.0, 0.012)
        if away < 0.010 and tool[2] - floor < 0.008:
            self._go(_Phase.OPEN)
        lateral = rise_first(tool[2], 0.06, 0.025) if away > 0.03 else 1.0
        return ToolGoal(np.array([point[0], point[1], height]), self._yaw(arm), 0.0, lateral)

    def _open(self, arm: ArmState) -> ToolGoal:
        self._gripper = 1.0
        self._waited += 1
        if self._waited >= OPENING_STEPS:
            self._go(_Phase.RETREAT)
        return self._stay(arm)

    def _retreat(self, arm: ArmState) -> ToolGoal:
        tool = arm.pose_gripper_in_base.translation_m
        return ToolGoal(np.array([tool[0], tool[1], LIFT_M]), self._yaw(arm), 1.0)

    def _push(self, arm: ArmState) -> ToolGoal:
        end = self._path.points_in_base_m[-1]
        return ToolGoal(np.array([end[0], end[1], end[2] + PUSH_HEIGHT_M]), 0.0, 0.0)

    def _go(self, phase: _Phase) -> None:
        self._phase, self._waited = phase, 0

    def _stay(self, arm: ArmState) -> ToolGoal:
        return ToolGoal(
            arm.pose_gripper_in_base.translation_m.copy(), self._yaw(arm), self._gripper
        )

    @staticmethod
    def _yaw(arm: ArmState) -> float:
        return float(euler_from_down(arm.pose_gripper_in_base)[2])

    _HANDLERS = {
        _Phase.APPROACH: _approach,
        _Phase.CLOSE: _close,
        _Phase.LIFT: _lift,
        _Phase.CARRY: _carry,
        _Phase.OPEN: _open,
        _Phase.RETREAT: _retreat,
        _Phase.PUSH: _push,
    }
