"""Stand-ins for moveit_py's modules over the same brain as the fake move_group's."""

from __future__ import annotations

import types
from contextlib import contextmanager

import numpy as np
from moveit_msgs.msg import RobotTrajectory


class RobotState:
    def __init__(self, model):
        self.joints = None

    def set_joint_group_positions(self, group, joints):
        self.joints = joints

    def update(self):
        """Nothing to compute."""


class Trajectory:
    def __init__(self, model):
        self.message = None

    def set_robot_trajectory_msg(self, state, message):
        self.message = message

    def get_robot_trajectory_msg(self):
        return self.message


class PlanningComponent:
    def __init__(self, brain):
        self.brain = brain

    def set_start_state(self, robot_state):
        self.start = robot_state.joints

    def set_goal_state(self, robot_state=None, pose_stamped_msg=None, pose_link=None):
        self.goal = self.brain.pose_goal_joints if robot_state is None else robot_state.joints

    def plan(self, single_plan_parameters):
        self.brain.requests.append(single_plan_parameters)
        if self.brain.fails:
            return Failure()
        scaling = single_plan_parameters.max_velocity_scaling_factor
        motion = Trajectory(None)
        motion.set_robot_trajectory_msg(
            None,
            RobotTrajectory(
                joint_trajectory=self.brain.plan(np.array(self.start), self.goal, scaling)
            ),
        )
        return types.SimpleNamespace(trajectory=motion)


class Failure:
    error_code = types.SimpleNamespace(val=99999)

    def __bool__(self):
        return False


class FakeMoveItPy:
    """MoveItPy and what hangs on it."""

    def __init__(self, brain):
        self.brain, self.scenes, self.stops = brain, [], 0

    def modules(self):
        planning = types.SimpleNamespace(
            MoveItPy=lambda **_: self,
            PlanRequestParameters=lambda moveit, namespace: types.SimpleNamespace(),
        )
        return {
            'moveit.planning': planning,
            'moveit.core.robot_state': types.SimpleNamespace(RobotState=RobotState),
            'moveit.core.robot_trajectory': types.SimpleNamespace(RobotTrajectory=Trajectory),
        }

    def get_planning_component(self, group):
        return PlanningComponent(self.brain)

    def get_robot_model(self):
        return None

    def execute(self, motion, controllers):
        self.brain.execute(motion.message.joint_trajectory)
        return True

    def get_planning_scene_monitor(self):
        @contextmanager
        def read_write():
            yield types.SimpleNamespace(
                apply_collision_object=self.scenes.append,
                current_state=types.SimpleNamespace(update=lambda: None),
            )

        return types.SimpleNamespace(read_write=read_write)

    def shutdown(self):
        """Nothing was started."""
