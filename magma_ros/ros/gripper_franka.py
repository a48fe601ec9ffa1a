"""The Franka Hand behind franka_ros2's gripper node: Move opens, Grasp closes.

Both take the width between the fingers, which is twice the position of a finger joint. A grasp
counts as success when the width it ends at is within epsilon of the one asked for; ours is as wide
as the hand, because nobody told us the size of the object.
"""

from __future__ import annotations

from typing import Any

from rclpy.node import Node

from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.gripper_port import (
    GRASP_FORCE_N,
    Answer,
    GripperAction,
    GripperGoal,
    GripperReport,
    Outcome,
    judge,
)
from magma_ros.ros.optional_modules import import_optional

NOTHING_M = 0.002  # a hand that is closed further than this holds nothing


class FrankaGripper:
    """``gripper_name`` of the profile is what the names of the actions begin with."""

    def __init__(self, node: Node, profile: ArmProfile) -> None:
        self._actions = import_optional('franka_msgs.action', 'gripper_interface franka')
        self._messages = import_optional('franka_msgs.msg', 'gripper_interface franka')
        self._open_m = 2 * profile.finger_open_m
        self._width_m: float | None = None
        self._move = GripperAction(node, self._actions.Move, f'{profile.gripper_name}/move')
        self._grasp = GripperAction(node, self._actions.Grasp, f'{profile.gripper_name}/grasp')

    @property
    def is_ready(self) -> bool:
        """Whether both actions are there."""
        return self._move.is_ready and self._grasp.is_ready

    def send(self, goal: GripperGoal, answer: Answer) -> None:
        """Move or grasp."""
        width_m, speed_m_s = 2 * goal.finger_m, 2 * goal.speed_m_s
        self._width_m = None
        if not goal.is_closing:
            message = self._actions.Move.Goal(width=width_m, speed=speed_m_s)
            self._move.send(message, lambda result: _moved(goal, result), answer)
            return
        message = self._actions.Grasp.Goal(
            width=width_m,
            epsilon=self._messages.GraspEpsilon(inner=self._open_m, outer=self._open_m),
            speed=speed_m_s,
            force=GRASP_FORCE_N,
        )
        self._grasp.send(message, self._grasped, answer, self._on_feedback)

    def close(self) -> None:
        """Leave."""
        self._move.close()
        self._grasp.close()

    def _on_feedback(self, message: Any) -> None:
        self._width_m = message.feedback.current_width

    def _grasped(self, result: Any) -> GripperReport:
        if not result.success:
            return GripperReport(Outcome.FAILED, result.error or 'the grasp failed')
        if self._width_m is not None and self._width_m < NOTHING_M:
            return GripperReport(Outcome.REACHED, 'closed on nothing')
        return GripperReport(Outcome.GRASPED, f'width {self._width_m} m')


def _moved(goal: GripperGoal, result: Any) -> GripperReport:
    return judge(goal.is_closing, result.success, False, result.error or 'moved')
