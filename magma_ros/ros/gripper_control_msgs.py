"""Grippers behind ros2_control: the three actions of control_msgs.

All take the position of the gripper joint. ParallelGripperCommand names the joint, so that nobody
has to guess whether a position means one finger or the gap between both; Kilted's controllers
serve nothing else, Humble's serve GripperCommand. A gripper without a controller of its own kind
has a joint trajectory controller.
"""

from __future__ import annotations

from typing import Any

from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import GripperCommand as GripperCommandMessage
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

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
from magma_ros.ros.optional_modules import load_interface
from magma_ros.ros.time_stamps import duration_from_s


class ControlMsgsGripper:
    """What the three have in common."""

    interface: type | str

    def __init__(self, node: Node, profile: ArmProfile) -> None:
        self._profile = profile
        self._kind = load_interface(self.interface)
        self._action = GripperAction(node, self._kind, profile.gripper_name)

    @property
    def is_ready(self) -> bool:
        """Whether the controller is there."""
        return self._action.is_ready

    def send(self, goal: GripperGoal, answer: Answer) -> None:
        """Send a goal."""
        self._action.send(self._message(goal), lambda result: self._read(goal, result), answer)

    def close(self) -> None:
        """Leave."""
        self._action.close()

    def _message(self, goal: GripperGoal) -> Any:
        raise NotImplementedError

    def _read(self, goal: GripperGoal, result: Any) -> GripperReport:
        raise NotImplementedError


class ParallelGripper(ControlMsgsGripper):
    """ParallelGripperCommand."""

    interface = 'control_msgs/action/ParallelGripperCommand'

    def _message(self, goal: GripperGoal) -> Any:
        command = JointState(name=[self._profile.gripper_joint], position=[goal.finger_m])
        return self._kind.Goal(command=command)

    def _read(self, goal: GripperGoal, result: Any) -> GripperReport:
        text = f'fingers at {list(result.state.position)} m, wanted {goal.finger_m:.4f} m'
        return judge(goal.is_closing, result.reached_goal, result.stalled, text)


class SimpleGripper(ControlMsgsGripper):
    """GripperCommand."""

    interface = GripperCommand

    def _message(self, goal: GripperGoal) -> Any:
        command = GripperCommandMessage(position=goal.finger_m, max_effort=GRASP_FORCE_N)
        return GripperCommand.Goal(command=command)

    def _read(self, goal: GripperGoal, result: Any) -> GripperReport:
        text = f'fingers at {result.position:.4f} m, wanted {goal.finger_m:.4f} m'
        return judge(goal.is_closing, result.reached_goal, result.stalled, text)


class TrajectoryGripper(ControlMsgsGripper):
    """FollowJointTrajectory with one point, at rest."""

    interface = FollowJointTrajectory

    def _message(self, goal: GripperGoal) -> Any:
        travel_m = abs(self._profile.finger_open_m - self._profile.finger_closed_m)
        point = JointTrajectoryPoint(
            positions=[goal.finger_m],
            velocities=[0.0],
            time_from_start=duration_from_s(travel_m / goal.speed_m_s),
        )
        trajectory = JointTrajectory(joint_names=[self._profile.gripper_joint], points=[point])
        return FollowJointTrajectory.Goal(trajectory=trajectory)

    def _read(self, goal: GripperGoal, result: Any) -> GripperReport:
        code, kind = result.error_code, FollowJointTrajectory.Result
        # Fingers that hold something do not get where they should.
        stalled = code in (kind.GOAL_TOLERANCE_VIOLATED, kind.PATH_TOLERANCE_VIOLATED)
        text = f'error code {code} {result.error_string}'.rstrip()
        if code != kind.SUCCESSFUL and not stalled:
            return GripperReport(Outcome.REJECTED, text)
        return judge(goal.is_closing, code == kind.SUCCESSFUL, stalled, text)
