"""Chooses who plans: a move_group that is there, moveit_py if that is asked for, or our own."""

from __future__ import annotations

import os
from collections.abc import Callable

from rclpy.node import Node

from magma_ros.data_types import FloatArray
from magma_ros.errors import EnvironmentMissing
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.moveit_parameters import move_group_parameters, robot_description
from magma_ros.ros.joint_space_planner import JointSpacePlanner
from magma_ros.ros.motion_planner import MotionPlanner

PLANNERS = ('auto', 'move_group', 'moveit_py', 'joint_space')
MOVE_GROUP = '/move_action/_action/send_goal'  # what tells of a move_group


class PlannerFinder:
    """Call :meth:`find` before each motion, in the thread that spins the node.

    Args:
        node: the clients'.
        profile: of the arm.
        read_joints: where the arm is now.
        wanted: one of PLANNERS; ``auto`` is move_group where there is one, else joint_space.

    Raises:
        EnvironmentMissing: moveit_py is wanted and not installed.
    """

    def __init__(
        self, node: Node, profile: ArmProfile, read_joints: Callable[[], FloatArray], wanted: str
    ) -> None:
        self._node, self._profile, self._read_joints = node, profile, read_joints
        self._wanted = wanted
        self._own = JointSpacePlanner(node, profile, read_joints)
        self._moveit: MotionPlanner | None = None  # loading moveit_py takes seconds: not later
        if wanted == 'moveit_py':
            self._moveit = _load_moveit_py(profile, read_joints)

    def find(self) -> MotionPlanner:
        """The planner for the next motion.

        Raises:
            EnvironmentMissing: move_group is wanted and not there, or moveit_msgs is not.
        """
        if self._wanted == 'joint_space':
            return self._own
        if self._wanted != 'moveit_py' and not self._hears_move_group():
            if self._wanted == 'auto':
                return self._own
            raise EnvironmentMissing('there is no move_group: start it, or set planner to auto')
        if self._moveit is None:
            try:
                # Its message types are there where a move_group is, and not everywhere else.
                from magma_ros.ros.move_group_client import MoveGroupClient
            except ImportError as error:  # a move_group of another machine, or of none
                if self._wanted == 'auto':
                    return self._own
                raise EnvironmentMissing(
                    f'move_group cannot be spoken to ({error}): install moveit_msgs and source '
                    'that installation, or set planner to joint_space'
                ) from error
            self._moveit = MoveGroupClient(self._node, self._profile, self._read_joints)
        return self._moveit

    def close(self) -> None:
        """Leave."""
        self._own.close()
        if self._moveit is not None:
            self._moveit.close()

    def _hears_move_group(self) -> bool:
        return MOVE_GROUP in dict(self._node.get_service_names_and_types())


def _load_moveit_py(profile: ArmProfile, read_joints: Callable[[], FloatArray]) -> MotionPlanner:
    from magma_ros.ros.moveit_py_planner import MoveItPyPlanner

    distro = os.environ.get('ROS_DISTRO', 'jazzy')
    parameters = move_group_parameters(profile, robot_description(profile), distro)
    return MoveItPyPlanner(profile, parameters, read_joints)
