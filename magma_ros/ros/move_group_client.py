"""A planner that speaks to a running move_group by its actions and services."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from moveit_msgs.msg import Constraints, MoveItErrorCodes, RobotTrajectory
from moveit_msgs.srv import ApplyPlanningScene, GetCartesianPath
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.node import Node
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ArmError, EnvironmentMissing
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.named_states import state_joints
from magma_ros.robot.planning_scene import SceneBox
from magma_ros.ros.motion_planner import cancel_when_accepted, tip_pose, wait_for_answer
from magma_ros.ros.move_group_requests import (
    PLANNING_S,
    explain,
    joint_goal,
    line_request,
    plan_request,
    pose_goal,
)
from magma_ros.ros.planned_trajectory import duration_s, make_executable
from magma_ros.ros.planning_scene_messages import scene_message

PLAN, EXECUTE = 'move_action', 'execute_trajectory'
ANSWER_S = 5.0  # for a service, or to accept a goal
SLOWER = 1.2  # than planned; move_group's own allowed_execution_duration_scaling
WHOLE_LINE = 0.999


class MoveGroupClient:
    """A :class:`MotionPlanner`. The node is spun by another thread than the one that calls.

    Args:
        node: the clients'.
        profile: of the arm.
        read_joints: where the arm is now, see ``JointReader.read``.
        answer_s: how long to wait for an answer.
        late_s: how much longer than planned a motion may take.
    """

    def __init__(
        self,
        node: Node,
        profile: ArmProfile,
        read_joints: Callable[[], FloatArray],
        answer_s: float = ANSWER_S,
        late_s: float = ANSWER_S,
    ) -> None:
        self._profile, self._read_joints = profile, read_joints
        self._answer_s, self._late_s = answer_s, late_s
        self._plan: ActionClient = ActionClient(node, MoveGroup, PLAN)
        self._execute: ActionClient = ActionClient(node, ExecuteTrajectory, EXECUTE)
        self._lines: Client = node.create_client(GetCartesianPath, 'compute_cartesian_path')
        self._scene: Client = node.create_client(ApplyPlanningScene, 'apply_planning_scene')
        self._unwanted = threading.Event()
        self._events = node.create_publisher(String, 'trajectory_execution_event', 1)

    def plan_to_joints(self, joints_rad: FloatArray) -> JointTrajectory:
        """From where the arm is to these joints."""
        return self._planned(joint_goal(joints_rad, self._profile))

    def plan_to_state(self, name: str) -> JointTrajectory:
        """To ``start`` of the profile, or to a named state of the SRDF."""
        return self.plan_to_joints(state_joints(self._profile, name))

    def plan_to_pose(self, pose_gripper_in_base: Pose) -> JointTrajectory:
        """To a pose of the gripper within the workspace box."""
        pose = tip_pose(pose_gripper_in_base, self._profile)
        return self._planned(pose_goal(pose, self._profile))

    def plan_line(self, poses_gripper_in_base: Sequence[Pose]) -> JointTrajectory:
        """Straight lines through the poses; a part of them is refused."""
        poses = [tip_pose(pose, self._profile) for pose in poses_gripper_in_base]
        request = line_request(poses, self._profile, self._read_joints())
        response = self._call(self._lines, request)
        _check(response.error_code, 'no straight line')
        if not response.fraction >= WHOLE_LINE:
            raise ArmError(
                f'only {100 * response.fraction:.0f} % of the straight line can be done without '
                'collision or jump: choose a nearer goal or another start'
            )
        return response.solution.joint_trajectory

    def execute(self, trajectory: JointTrajectory) -> None:
        """Execute and wait for the end; nothing is sent when the arm is there already."""
        if len(trajectory.points) < 2:
            return  # the planner's answer when start and goal are the same
        self._unwanted.clear()
        trajectory = make_executable(trajectory, self._profile, self._read_joints())
        goal = ExecuteTrajectory.Goal(trajectory=RobotTrajectory(joint_trajectory=trajectory))
        patience_s = SLOWER * duration_s(trajectory) + self._late_s
        with ExitStack() as unless_done:
            unless_done.callback(self.stop)
            result = self._result(self._execute, EXECUTE, goal, patience_s)
            unless_done.pop_all()
        _check(result.error_code, 'the motion was not completed')

    def stop(self) -> None:
        """Stop what is being executed: move_group ignores cancelled goals, but not this."""
        self._unwanted.set()
        self._events.publish(String(data='stop'))

    def apply_scene(self, boxes: Sequence[SceneBox]) -> None:
        """Put boxes into the planning scene, or move them."""
        scene = scene_message(boxes, self._profile.base_link)
        if not self._call(self._scene, ApplyPlanningScene.Request(scene=scene)).success:
            raise ArmError(
                f'move_group refused the planning scene: does it know {self._profile.base_link}?'
            )

    def close(self) -> None:
        """Leave; nodes do not destroy action clients, which then keep the node's memory."""
        self._plan.destroy()
        self._execute.destroy()

    def _planned(self, goal: Constraints) -> JointTrajectory:
        request = plan_request(goal, self._profile, self._read_joints())
        result = self._result(self._plan, PLAN, request, PLANNING_S + self._answer_s)
        _check(result.error_code, 'no plan')
        return result.planned_trajectory.joint_trajectory

    def _call(self, client: Any, request: Any) -> Any:
        if not client.wait_for_service(self._answer_s):
            raise EnvironmentMissing(_absent(client.srv_name, self._answer_s))
        return wait_for_answer(client.call_async(request), self._answer_s, client.srv_name)

    def _result(self, client: Any, name: str, goal: Any, patience_s: float) -> Any:
        if not client.wait_for_server(self._answer_s):
            raise EnvironmentMissing(_absent(name, self._answer_s))
        is_motion = client is self._execute
        if is_motion and self._unwanted.is_set():
            raise ArmError('the planned motion was stopped before it began')
        sent = client.send_goal_async(goal)
        try:
            handle = wait_for_answer(sent, self._answer_s, name)
        except ArmError:
            cancel_when_accepted(sent, self.stop if is_motion else None)
            raise
        if not handle.accepted:
            raise ArmError(f'{name} refused the goal: is another one being executed?')
        return wait_for_answer(handle.get_result_async(), patience_s, name).result


def _check(error: MoveItErrorCodes, what: str) -> None:
    if error.val != MoveItErrorCodes.SUCCESS:
        raise ArmError(f'{what}: {explain(error)}')


def _absent(name: str, waited_s: float) -> str:
    return f'nobody serves {name} (waited {waited_s:.0f} s): start move_group'
