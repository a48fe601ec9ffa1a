"""Gripper drivers that do as a test says: real actions where control_msgs has them, else fakes."""

from __future__ import annotations

import types
from dataclasses import replace

from control_msgs.action import FollowJointTrajectory, GripperCommand, ParallelGripperCommand
from rclpy.action import ActionServer, GoalResponse
from sensor_msgs.msg import JointState

from magma_ros.ros import gripper_franka
from magma_ros.ros.gripper_control_msgs import ParallelGripper, SimpleGripper, TrajectoryGripper
from magma_ros.ros.gripper_franka import FrankaGripper
from magma_ros.ros.gripper_interbotix import STILL_S, InterbotixGripper
from magma_ros.ros.gripper_port import GripperReport, Outcome
from magma_ros.ros.optional_modules import load_interface


class ControlMsgsRig:
    """A controller of ros2_control."""

    ADAPTERS = {
        'parallel_gripper_command': ParallelGripper,
        'gripper_command': SimpleGripper,
        'follow_joint_trajectory': TrajectoryGripper,
    }

    def __init__(self, node, profile, interface, monkeypatch):
        self.profile = replace(
            profile, gripper_interface=interface, gripper_name=f'/test/{interface}'
        )
        self.fingers_m, self.then = [], 'reached'
        adapter = self.ADAPTERS[interface]
        self.server = ActionServer(
            node,
            load_interface(adapter.interface),
            self.profile.gripper_name,
            self.execute,
            goal_callback=lambda _: (
                GoalResponse.REJECT if self.then == 'rejected' else GoalResponse.ACCEPT
            ),
        )
        self.port = adapter(node, self.profile)

    def execute(self, handle):
        goal, reached = handle.request, self.then == 'reached'
        # As ros2_control does: a stall aborts the goal, and the result still says so.
        (handle.succeed if reached else handle.abort)()
        if isinstance(goal, ParallelGripperCommand.Goal):
            assert list(goal.command.name) == [self.profile.gripper_joint]
            self.fingers_m.append(goal.command.position[0])
            return ParallelGripperCommand.Result(
                reached_goal=reached, stalled=self.then == 'stalled'
            )
        if isinstance(goal, GripperCommand.Goal):
            self.fingers_m.append(goal.command.position)
            return GripperCommand.Result(reached_goal=reached, stalled=self.then == 'stalled')
        (point,) = goal.trajectory.points
        assert list(point.velocities) == [0.0]
        self.fingers_m.append(point.positions[0])
        kind = FollowJointTrajectory.Result
        stalled = kind.GOAL_TOLERANCE_VIOLATED
        return kind(error_code=kind.SUCCESSFUL if reached else stalled)

    def settle(self):
        """Nothing more to do: the server answers by itself."""

    def close(self):
        self.port.close()
        self.server.destroy()


class FrankaRig:
    """franka_msgs and its two actions, both invented."""

    def __init__(self, node, profile, interface, monkeypatch):
        record = types.SimpleNamespace
        actions = record(Move=record(Goal=record), Grasp=record(Goal=record))
        modules = {
            'franka_msgs.action': actions,
            'franka_msgs.msg': record(GraspEpsilon=record),
        }
        monkeypatch.setattr(gripper_franka, 'import_optional', lambda name, _: modules[name])
        monkeypatch.setattr(gripper_franka, 'GripperAction', self.action)
        self.profile = replace(profile, gripper_interface=interface, gripper_name='/franka')
        self.fingers_m, self.then, self.waiting = [], 'reached', []
        self.port = FrankaGripper(node, self.profile)

    def action(self, node, kind, name):
        def send(goal, read, answer, on_feedback=None):
            self.fingers_m.append(goal.width / 2)
            self.waiting.append((name, goal, read, answer, on_feedback))

        return types.SimpleNamespace(is_ready=True, send=send, close=lambda: None)

    def settle(self):
        for name, goal, read, answer, on_feedback in self.waiting:
            assert name == ('/franka/move' if on_feedback is None else '/franka/grasp')
            if self.then == 'rejected':
                answer(GripperReport(Outcome.REJECTED))
                continue
            if on_feedback is not None:
                assert goal.force == 20.0
                width_m = 0.0 if self.then == 'reached' else 0.03
                feedback = types.SimpleNamespace(current_width=width_m)
                on_feedback(types.SimpleNamespace(feedback=feedback))
            is_well = self.then == 'reached' or on_feedback is not None
            answer(read(types.SimpleNamespace(success=is_well, error='')))
        self.waiting.clear()

    def close(self):
        self.port.close()


class InterbotixRig:
    """The driver's topic, whose message is a JointState under another name, and joint states."""

    def __init__(self, node, profile, interface, monkeypatch):
        self.profile = replace(profile, gripper_interface=interface, gripper_name='/test/single')
        monkeypatch.setattr(
            'magma_ros.ros.gripper_interbotix.import_optional',
            lambda *_: types.SimpleNamespace(JointSingleCommand=single_command),
        )
        self.fingers_m, self.then, self.now_s = [], 'reached', 0.0
        fake = types.SimpleNamespace(
            create_publisher=lambda *_: types.SimpleNamespace(
                publish=lambda message: self.fingers_m.append(message.cmd / 2),
                get_subscription_count=lambda: 1,
            ),
            create_subscription=lambda kind, topic, callback, qos: setattr(
                self, 'hear_joints', callback
            ),
        )
        self.port = InterbotixGripper(fake, self.profile, lambda: self.now_s)

    def settle(self):
        if not self.fingers_m:
            return
        at_m = self.fingers_m[-1] if self.then == 'reached' else 0.025
        for _ in range(3):
            state = JointState(name=[self.profile.gripper_joint], position=[at_m])
            self.hear_joints(state)
            self.now_s += STILL_S

    def close(self):
        self.port.close()


def single_command(name, cmd):
    assert name == 'gripper'
    return types.SimpleNamespace(cmd=cmd)


RIGS = {
    **{interface: ControlMsgsRig for interface in ControlMsgsRig.ADAPTERS},
    'franka': FrankaRig,
    'interbotix': InterbotixRig,
}
