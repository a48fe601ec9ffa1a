"""A move_group that answers as the real one was measured to (facts of MoveIt 2.12, OMPL)."""

from __future__ import annotations

import threading

import numpy as np
from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from moveit_msgs.msg import MoveItErrorCodes
from moveit_msgs.srv import ApplyPlanningScene, GetCartesianPath
from rclpy.action import ActionServer
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from magma_ros.ros.deferred_goals import DeferredGoals
from magma_ros.ros.time_stamps import duration_from_s
from magma_ros.ros.topic_kinds import Service

POINT_S = 0.1


class MoveGroupBrain:
    """Where the arm is, and what a planner makes of a request."""

    def __init__(self, profile):
        self.profile = profile
        self.joints = np.array(profile.start_joints_rad)
        self.pose_goal_joints = self.joints + 0.2
        self.fails, self.fraction, self.haste = False, 1.0, 1.0
        self.requests, self.executed = [], []

    def plan(self, start, goal, velocity_scaling):
        """Points 0.1 s apart; one point when there is nothing to do."""
        way = np.asarray(goal) - start
        if np.abs(way).max() < 1e-6:
            return self.message([start], [0 * way], [0 * way], [0.0])
        # The trap: anything outside (0, 1] means full speed.
        scaling = velocity_scaling if 0 < velocity_scaling <= 1 else 1.0
        fastest = np.array(self.profile.joint_speed_rad_s) * scaling * self.haste
        duration_s = 1.5 * float((np.abs(way) / fastest).max())
        u = np.linspace(0, 1, max(3, round(duration_s / POINT_S)))[:, None]
        return self.message(
            start + way * (3 * u**2 - 2 * u**3),
            way * (6 * u - 6 * u**2) / duration_s,
            way * (6 - 12 * u) / duration_s**2,
            u[:, 0] * duration_s,
        )

    def message(self, positions, velocities, accelerations, times_s):
        points = [
            JointTrajectoryPoint(
                positions=list(map(float, place)),
                velocities=list(map(float, speed)),
                accelerations=list(map(float, change)),
                time_from_start=duration_from_s(float(time_s)),
            )
            for place, speed, change, time_s in zip(
                positions, velocities, accelerations, times_s, strict=True
            )
        ]
        return JointTrajectory(joint_names=list(self.profile.joint_names), points=points)

    def execute(self, trajectory):
        self.executed.append(trajectory)
        self.joints = np.array(trajectory.points[-1].positions)


class FakeMoveGroup:
    """The part of move_group's interface that we use, on a node of its own."""

    def __init__(self, node, brain):
        self.brain, self.scenes, self.events, self.is_stuck = brain, [], [], False
        self.started, self.cancelled = threading.Event(), threading.Event()
        self._result = None
        self._planning = ActionServer(node, MoveGroup, 'move_action', self.plan)
        execute = Service('execute_trajectory', ExecuteTrajectory, '', '', is_action=True)
        self._executing = DeferredGoals(
            node, execute, self.start, lambda: self._result, self.cancelled.set
        )
        node.create_service(GetCartesianPath, 'compute_cartesian_path', self.line)
        node.create_service(ApplyPlanningScene, 'apply_planning_scene', self.apply)
        node.create_subscription(String, 'trajectory_execution_event', self.on_event, 1)

    def plan(self, handle):
        request, brain = handle.request.request, self.brain
        brain.requests.append(handle.request)
        result = MoveGroup.Result()
        known = request.group_name == brain.profile.planning_group
        if brain.fails or not known or len(request.goal_constraints) != 1:
            result.error_code.val = MoveItErrorCodes.FAILURE  # and nothing else, whatever it was
            handle.abort()
            return result
        (goal,) = request.goal_constraints
        joints = [joint.position for joint in goal.joint_constraints]
        result.planned_trajectory.joint_trajectory = brain.plan(
            np.array(request.start_state.joint_state.position),
            joints or brain.pose_goal_joints,
            request.max_velocity_scaling_factor,
        )
        result.error_code.val = MoveItErrorCodes.SUCCESS
        handle.succeed()
        return result

    def start(self, goal):
        self._result = None
        self.started.set()
        if self.is_stuck:
            return True
        self.brain.execute(goal.trajectory.joint_trajectory)
        self._result = ExecuteTrajectory.Result()
        self._result.error_code.val = MoveItErrorCodes.SUCCESS
        return True

    def line(self, request, response):
        self.brain.requests.append(request)
        response.fraction = self.brain.fraction
        response.error_code.val = MoveItErrorCodes.SUCCESS  # also for a part of the line
        start = np.array(request.start_state.joint_state.position)
        response.solution.joint_trajectory = self.brain.plan(
            start, self.brain.pose_goal_joints, request.max_velocity_scaling_factor
        )
        return response

    def apply(self, request, response):
        self.scenes.append(request.scene)
        response.success = True
        return response

    def on_event(self, message):
        self.events.append(message.data)
        self._result = ExecuteTrajectory.Result()
        self._result.error_code.val = MoveItErrorCodes.PREEMPTED
