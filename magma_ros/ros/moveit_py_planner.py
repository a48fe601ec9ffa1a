"""A planner inside this process, where MoveIt's Python binding ``moveit`` can be imported.

It brings its own ROS context and thread. Make one per process and end the process after
:meth:`MoveItPyPlanner.close`: its destructors are known to crash (moveit2 issues 3398, 3721).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from moveit_msgs.msg import RobotTrajectory as RobotTrajectoryMessage
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.named_states import state_joints
from magma_ros.robot.planning_scene import SceneBox
from magma_ros.ros.arm_messages import pose_to_message
from magma_ros.ros.motion_planner import scalings, tip_pose
from magma_ros.ros.move_group_requests import ATTEMPTS, PLANNING_S
from magma_ros.ros.optional_modules import import_optional
from magma_ros.ros.planned_trajectory import make_executable
from magma_ros.ros.planning_scene_messages import scene_message

NODE_NAME = 'magma_moveit_py'
ANY_PIPELINE, LINES = ('ompl', ''), ('pilz_industrial_motion_planner', 'LIN')
NEEDED_FOR = 'planning within the process (use move_group instead)'


class MoveItPyPlanner:
    """A :class:`MotionPlanner`.

    Args:
        profile: of the arm.
        parameters: as of move_group, see ``moveit_parameters.move_group_parameters``.
        read_joints: where the arm is now, see ``JointReader.read``.

    Raises:
        EnvironmentMissing: moveit_py is not installed.
    """

    def __init__(
        self,
        profile: ArmProfile,
        parameters: Mapping[str, Any],
        read_joints: Callable[[], FloatArray],
    ) -> None:
        planning = import_optional('moveit.planning', NEEDED_FOR)
        self._new_state = import_optional('moveit.core.robot_state', NEEDED_FOR).RobotState
        trajectories = import_optional('moveit.core.robot_trajectory', NEEDED_FOR)
        self._new_trajectory = trajectories.RobotTrajectory
        self._new_request = planning.PlanRequestParameters
        self._profile, self._read_joints = profile, read_joints
        self._moveit = planning.MoveItPy(
            node_name=NODE_NAME,
            config_dict=dict(parameters),
            remappings={'joint_states': profile.joint_states_topic},
        )
        self._group = self._moveit.get_planning_component(profile.planning_group)

    def plan_to_joints(self, joints_rad: FloatArray) -> JointTrajectory:
        """From where the arm is to these joints."""
        return self._planned(ANY_PIPELINE, robot_state=self._state(joints_rad))

    def plan_to_state(self, name: str) -> JointTrajectory:
        """To ``start`` of the profile, or to a named state of the SRDF."""
        return self.plan_to_joints(state_joints(self._profile, name))

    def plan_to_pose(self, pose_gripper_in_base: Pose) -> JointTrajectory:
        """To a pose of the gripper within the workspace box."""
        return self._planned(ANY_PIPELINE, **self._pose_goal(pose_gripper_in_base))

    def plan_line(self, poses_gripper_in_base: Sequence[Pose]) -> JointTrajectory:
        """One straight line, of Pilz."""
        if len(poses_gripper_in_base) != 1:
            raise ArmError(
                f'moveit_py plans one straight line at a time, not {len(poses_gripper_in_base)}: '
                'execute each before planning the next, or use move_group'
            )
        return self._planned(LINES, **self._pose_goal(poses_gripper_in_base[0]))

    def execute(self, trajectory: JointTrajectory) -> None:
        """Execute and wait for the end; nothing happens when the arm is there already."""
        if len(trajectory.points) < 2:
            return
        measured_rad = self._read_joints()
        checked = make_executable(trajectory, self._profile, measured_rad)
        motion = self._new_trajectory(self._moveit.get_robot_model())
        message = RobotTrajectoryMessage(joint_trajectory=checked)
        motion.set_robot_trajectory_msg(self._state(measured_rad), message)
        if not (status := self._moveit.execute(motion, controllers=[])):
            raise ArmError(f'the motion was not completed: {getattr(status, "status", status)}')

    def stop(self) -> None:
        """Stop what is being executed."""
        self._moveit.get_trajectory_execution_manager().stop_execution()

    def apply_scene(self, boxes: Sequence[SceneBox]) -> None:
        """Put boxes into the planning scene, or move them."""
        message = scene_message(boxes, self._profile.base_link)
        with self._moveit.get_planning_scene_monitor().read_write() as scene:
            for item in message.world.collision_objects:
                scene.apply_collision_object(item)
            scene.current_state.update()

    def close(self) -> None:
        """Shut MoveIt down; references to its parts go first."""
        self._group = None
        self._moveit.shutdown()

    def _state(self, joints_rad: FloatArray) -> Any:
        state = self._new_state(self._moveit.get_robot_model())
        state.set_joint_group_positions(self._profile.planning_group, np.asarray(joints_rad))
        state.update()
        return state

    def _pose_goal(self, pose_gripper_in_base: Pose) -> dict[str, Any]:
        pose = tip_pose(pose_gripper_in_base, self._profile)
        message = pose_to_message(pose, 0, self._profile.base_link)
        return {'pose_stamped_msg': message, 'pose_link': self._profile.tip_link}

    def _planned(self, planner: tuple[str, str], **goal: Any) -> JointTrajectory:
        self._group.set_start_state(robot_state=self._state(self._read_joints()))
        self._group.set_goal_state(**goal)
        request = self._new_request(self._moveit, '')
        request.planning_pipeline, request.planner_id = planner
        request.planning_attempts, request.planning_time = ATTEMPTS, PLANNING_S
        velocity, acceleration = scalings(self._profile)
        request.max_velocity_scaling_factor = velocity
        request.max_acceleration_scaling_factor = acceleration
        answer = self._group.plan(single_plan_parameters=request)
        if not answer:
            raise ArmError(f'no plan: MoveIt error {answer.error_code.val}; its log says why')
        return answer.trajectory.get_robot_trajectory_msg().joint_trajectory
