"""A planner without MoveIt: straight in joint space, checked against the envelope, no obstacles.

For a simulated arm and for machines where there is neither a move_group nor moveit_py. It knows
nothing of the arm's own body and of what stands around it beyond the workspace box.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from rclpy.action import ActionClient
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ArmError, EnvironmentMissing
from magma_ros.motion.joint_path import rest_to_rest
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.named_states import state_joints
from magma_ros.robot.planning_scene import SceneBox
from magma_ros.ros.motion_planner import PLANNED_SCALING, cancel_when_accepted, wait_for_answer
from magma_ros.ros.planned_trajectory import duration_s, make_executable, path_to_message

ANSWER_S = 5.0
LATE_S = 5.0  # longer than planned, then it is stopped
NEAR_RAD = 1e-3  # so near is there


class JointSpacePlanner:
    """A :class:`MotionPlanner` over FollowJointTrajectory; the node is spun by another thread.

    Args:
        node: the client's.
        profile: of the arm.
        read_joints: where the arm is now.
        answer_s: how long to wait for an answer.
    """

    def __init__(
        self,
        node: Node,
        profile: ArmProfile,
        read_joints: Callable[[], FloatArray],
        answer_s: float = ANSWER_S,
    ) -> None:
        self._profile, self._read_joints, self._answer_s = profile, read_joints, answer_s
        self._kinematics = profile.kinematics()
        self._client: ActionClient = ActionClient(
            node, FollowJointTrajectory, profile.trajectory_action
        )
        self._lock = threading.Lock()
        self._handle: Any = None  # of what is being executed
        self._is_unwanted = False

    def plan_to_joints(self, joints_rad: FloatArray) -> JointTrajectory:
        """Straight in joint space, from rest to rest; nothing when the arm is there already."""
        start, goal, profile = self._read_joints(), np.asarray(joints_rad), self._profile
        if float(np.abs(goal - start).max()) < NEAR_RAD:
            return JointTrajectory()
        speed = PLANNED_SCALING * np.array(profile.joint_speed_rad_s)
        acceleration = PLANNED_SCALING * np.array(profile.joint_acceleration_rad_s2)
        path = rest_to_rest([start, goal], speed, acceleration)
        return make_executable(path_to_message(path, profile), profile, start)

    def plan_to_state(self, name: str) -> JointTrajectory:
        """To ``start`` of the profile, or to a named state of the SRDF."""
        return self.plan_to_joints(state_joints(self._profile, name))

    def plan_to_pose(self, pose_gripper_in_base: Pose) -> JointTrajectory:
        """To joints near the present ones that reach the pose."""
        joints = self._kinematics.inverse(pose_gripper_in_base, self._read_joints())
        if joints is None:
            place_m = np.round(pose_gripper_in_base.translation_m, 3).tolist()
            raise ArmError(f'no joint positions reach {place_m} m: choose a nearer pose')
        return self.plan_to_joints(joints)

    def plan_line(self, poses_gripper_in_base: Sequence[Pose]) -> JointTrajectory:
        """Not for this planner: what is straight for its joints is a bow for the tool."""
        raise ArmError('straight lines of the tool are left to MoveIt: start move_group')

    def execute(self, trajectory: JointTrajectory) -> None:
        """Execute and wait for the end; nothing is sent when the arm is there already."""
        if len(trajectory.points) < 2:
            return
        with self._lock:
            self._handle, self._is_unwanted = None, False
        checked = make_executable(trajectory, self._profile, self._read_joints())
        goal = FollowJointTrajectory.Goal(trajectory=checked)
        goal.path_tolerance = [
            JointTolerance(name=name, position=self._profile.tracking_rad)
            for name in self._profile.joint_names
        ]
        answer = self._follow(goal, duration_s(checked) + LATE_S)
        if answer.status != GoalStatus.STATUS_SUCCEEDED:
            how = 'was stopped' if answer.status == GoalStatus.STATUS_CANCELED else 'failed'
            said = f'error {answer.result.error_code} {answer.result.error_string}'.rstrip()
            raise ArmError(f'the planned motion {how} on its way: {said}')

    def stop(self) -> None:
        """Cancel what is being executed, or has been sent; from any thread, as often as liked."""
        with self._lock:
            self._is_unwanted = True
            handle = self._handle
        if handle is not None:
            handle.cancel_goal_async()

    def apply_scene(self, boxes: Sequence[SceneBox]) -> None:
        """What stands outside of the workspace box is out of reach; the rest is too much."""
        low, high = (
            np.array(corner)
            for corner in (self._profile.limits.box_min_m, self._profile.limits.box_max_m)
        )
        for box in boxes:
            centre, half = np.array(box.centre_in_base_m), np.array(box.size_m) / 2
            if ((centre + half > low) & (centre - half < high)).all():
                raise ArmError(
                    f'{box.name} of the planning scene stands inside of the workspace box: only '
                    'MoveIt plans around it; start move_group'
                )

    def close(self) -> None:
        """Leave; nodes do not destroy action clients, which then keep the node's memory."""
        self._client.destroy()

    def _follow(self, goal: FollowJointTrajectory.Goal, patience_s: float) -> Any:
        name = self._profile.trajectory_action
        if not self._client.wait_for_server(self._answer_s):
            raise EnvironmentMissing(
                f'nobody serves {name}: start the joint trajectory controller of the arm'
            )
        if self._is_unwanted:
            raise ArmError('the planned motion was stopped before it began')
        sent = self._client.send_goal_async(goal)
        try:
            handle = wait_for_answer(sent, self._answer_s, name)
        except ArmError:
            cancel_when_accepted(sent)
            raise
        if not handle.accepted:
            raise ArmError(f'{name} refused the planned motion: look at its log')
        with self._lock:
            self._handle, is_unwanted = handle, self._is_unwanted
        if is_unwanted:
            self.stop()
        try:
            answer = wait_for_answer(handle.get_result_async(), patience_s, name)
        except ArmError:
            self.stop()
            raise
        with self._lock:
            self._handle = None
        return answer
