"""The simulated arm as ros2_control would show it: joint states, trajectories, gripper goals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from control_msgs.action import FollowJointTrajectory
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.joint_reading import opening_from_finger
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import (
    finger_from_opening,
    joint_state_message,
    joints_from_message,
    trajectory_columns,
)
from magma_ros.ros.deferred_goals import DeferredGoals
from magma_ros.ros.time_stamps import duration_to_s, stamp_to_ns
from magma_ros.sim.live_table import LiveTable
from magma_ros.sim.trajectory_player import TrajectoryPoint

# Servo waits for a joint state that differs from the last; a perfect simulation never sends one.
DITHER_RAD_S = 1e-6
GRIPPER_TOLERANCE = 0.03  # of the opening
GRIPPER_POLLS = 10  # then it holds something, or is stuck


class SimArm:
    """Commands go to the table as they come; wrong ones are logged and have no effect."""

    def __init__(self, node: Node, table: LiveTable, profile: ArmProfile) -> None:
        self._node, self._table, self._profile = node, table, profile
        self._dither = DITHER_RAD_S
        self._opening, self._gripper_polls = 1.0, 0
        self._joint_states = topics.JOINT_STATES.publisher(node)
        topics.ARM_TRAJECTORY.subscribe(node, self._on_trajectory)
        self._trajectory_goals = DeferredGoals(
            node,
            topics.FOLLOW_TRAJECTORY,
            lambda goal: self._follow(goal.trajectory),
            self._trajectory_result,
            table.stop,
        )
        self._gripper_goals = DeferredGoals(
            node, topics.GRIPPER, self._on_gripper, self._gripper_result, lambda: None
        )

    def publish_joints(self) -> None:
        """What the encoders say now."""
        now_ns = self._now_ns()
        arm = self._table.arm_state(now_ns)
        self._dither = -self._dither
        finger = finger_from_opening(arm.gripper_opening, self._profile)
        message = joint_state_message(
            (*self._profile.joint_names, self._profile.gripper_joint),
            np.append(arm.joint_positions_rad, finger),
            np.append(arm.joint_velocities_rad_s + self._dither, 0.0),
            now_ns,
        )
        self._joint_states.publish(message)

    def _on_trajectory(self, message: JointTrajectory) -> None:
        self._follow(message)

    def _follow(self, message: JointTrajectory) -> bool:
        try:
            columns = trajectory_columns(message, self._profile.joint_names)
        except ArmError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            return False
        stamp_ns, start_s = stamp_to_ns(message.header.stamp), 0.0
        if stamp_ns:  # 0 means now
            start_s = (stamp_ns - self._now_ns()) * 1e-9
        points = [
            TrajectoryPoint(
                start_s + duration_to_s(point.time_from_start),
                np.array(point.positions)[columns],
                np.array(point.velocities)[columns] if point.velocities else None,
            )
            for point in message.points
        ]
        if not all(np.isfinite(point.positions_rad).all() for point in points):
            self._node.get_logger().error('trajectory with NaN refused', throttle_duration_sec=1.0)
            return False
        return self._table.follow(points)

    def _trajectory_result(self) -> FollowJointTrajectory.Result | None:
        return FollowJointTrajectory.Result() if self._table.has_arrived else None

    def _on_gripper(self, goal: Any) -> bool:
        try:
            position, _ = joints_from_message(goal.command, (self._profile.gripper_joint,))
        except ArmError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            return False
        opening = opening_from_finger(float(position[0]), self._profile)
        if not math.isfinite(opening):
            return False
        self._opening, self._gripper_polls = opening, 0
        self._table.set_gripper(opening)
        return True

    def _gripper_result(self) -> Any | None:
        now_ns = self._now_ns()
        opening = self._table.arm_state(now_ns).gripper_opening
        has_arrived = abs(opening - self._opening) < GRIPPER_TOLERANCE
        self._gripper_polls += 1
        if not has_arrived and self._gripper_polls < GRIPPER_POLLS:
            return None
        finger = np.array([finger_from_opening(opening, self._profile)])
        state = joint_state_message((self._profile.gripper_joint,), finger, 0 * finger, now_ns)
        return topics.GRIPPER.kind.Result(
            state=state, stalled=not has_arrived, reached_goal=has_arrived
        )

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds
