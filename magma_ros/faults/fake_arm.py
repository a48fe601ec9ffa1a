"""An arm that is nothing but its joints: plays trajectories as ros2_control would, keeps a record.

Its faults are those of a driver: silent, frozen or nonsensical encoders, a joint that is stuck,
trajectories that are refused. The record (``truth.py``) is written whatever it publishes.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from control_msgs.action import ParallelGripperCommand
from rclpy.node import Node
from sensor_msgs.msg import JointState
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.faults.guard import FAKE_ARM, check_allowed
from magma_ros.faults.joint_state_faults import JOINT_STATE_FAULTS
from magma_ros.faults.rig_commands import CommandServer
from magma_ros.faults.truth import Event, Sample, TruthWriter
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import (
    joint_state_message,
    trajectory_columns,
    transform_to_message,
)
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.deferred_goals import DeferredGoals
from magma_ros.ros.node_process import run_node
from magma_ros.ros.time_stamps import duration_to_s, stamp_to_ns
from magma_ros.sim.trajectory_player import TrajectoryPlayer, TrajectoryPoint

PERIOD_S = 0.005  # of the record; joint states are every second of these, /tf every twentieth
HOME_S = 1.5
DITHER_RAD_S = 1e-6  # Servo waits for a joint state that differs from the last


class FakeArm(Node):
    """Joint trajectories and gripper goals in; joint states, /tf and the record out."""

    def __init__(self, arm: str, truth: TruthWriter) -> None:
        check_allowed()
        super().__init__(FAKE_ARM)
        self._profile, self._truth = load_arm_profile(arm), truth
        self._kinematics = self._profile.kinematics()
        self._home = np.array(self._profile.start_joints_rad)
        self._player, self._ticks = TrajectoryPlayer(self._home), 0
        self._finger_m = self._profile.finger_open_m
        self._joint_fault, self._rejects = '', False
        # An arm plays on its own clock; where that is /clock its jumps are no commands.
        self._is_on_clock = bool(self.get_parameter('use_sim_time').value)
        self._frozen: JointState | None = None  # what frozen encoders repeat
        self._stuck: tuple[int, float] | None = None  # joint and where it is stuck
        self._joint_states = topics.JOINT_STATES.publisher(self)
        self._transforms = topics.TRANSFORMS.publisher(self)
        topics.ARM_TRAJECTORY.subscribe(self, self._on_trajectory)
        self._gripper = DeferredGoals(
            self, topics.GRIPPER, self._on_gripper, self._gripper_result, lambda: None
        )
        self._commands = CommandServer(
            {
                'joints': self._set_joint_fault,
                'stick': self._stick,
                'reject': self._reject,
                'normal': self._be_normal,
                'home': self._go_home,
            }
        )
        self._loop = DeadlineLoop('arm', PERIOD_S, self._tick)
        self._loop.start()
        self._commands.start()

    @property
    def has_failed(self) -> bool:
        """Whether the loop has died or the runner has gone."""
        return not (self._loop.is_alive and self._commands.is_alive)

    def close(self) -> None:
        """Stop."""
        self._loop.stop()

    # -------------------------------------------------------------------------------- commands

    def _set_joint_fault(self, fault: str) -> None:
        """What ails the encoders: a name of JOINT_STATE_FAULTS, ``silent``, ``frozen``."""
        if fault not in (*JOINT_STATE_FAULTS, 'silent', 'frozen', ''):
            raise ConfigurationError(f'no joint state fault {fault!r}')
        self._frozen, self._joint_fault = None, fault

    def _stick(self, joint: str) -> None:
        """One joint stays where it is, whatever it is told."""
        place = self._profile.joint_names.index(joint)
        self._stuck = (place, float(self._true(time.monotonic())[0][place]))

    def _reject(self) -> None:
        """The driver takes no more trajectories, and stays where it is."""
        self._rejects = True
        self._player.stop(time.monotonic())

    def _be_normal(self) -> None:
        self._set_joint_fault('')
        self._stuck, self._rejects = None, False

    def _go_home(self) -> None:
        """To the start pose, straight in joint space; answered when there."""
        now_s = time.monotonic()
        self._player.replace([TrajectoryPoint(now_s + HOME_S, self._home)], now_s)
        time.sleep(HOME_S + 0.1)

    # -------------------------------------------------------------------------------------- ROS

    def _on_trajectory(self, message: JointTrajectory) -> None:
        now_s = time.monotonic()
        if self._rejects:
            return
        try:
            points = self._read(message, now_s)
        except ArmError as error:
            self._truth.event(Event(now_s, 'refused'))
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        lower, upper = self._kinematics.lower_rad, self._kinematics.upper_rad
        wanted = np.array([point.positions_rad for point in points])
        if not ((wanted >= lower) & (wanted <= upper)).all():  # also for NaN
            self._truth.event(Event(now_s, 'impossible'))
            return
        if not self._player.replace(points, now_s):
            self._truth.event(Event(now_s, 'refused'))
        elif (end_rad_s := points[-1].velocities_rad_s) is not None:
            self._truth.event(Event(now_s, 'told', float(np.linalg.norm(end_rad_s))))

    def _read(self, message: JointTrajectory, now_s: float) -> list[TrajectoryPoint]:
        columns = trajectory_columns(message, self._profile.joint_names)
        stamp_ns, start_s = stamp_to_ns(message.header.stamp), now_s
        if stamp_ns and not self._is_on_clock:  # 0 means now
            start_s += (stamp_ns - self._now_ns()) * 1e-9
        return [
            TrajectoryPoint(
                start_s + duration_to_s(point.time_from_start),
                np.array(point.positions)[columns],
                np.array(point.velocities)[columns] if point.velocities else None,
            )
            for point in message.points
        ]

    def _on_gripper(self, goal: ParallelGripperCommand.Goal) -> bool:
        self._finger_m = float(goal.command.position[0])
        self._truth.event(Event(time.monotonic(), 'gripper'))
        return True

    def _gripper_result(self) -> ParallelGripperCommand.Result:
        finger = np.array([self._finger_m])
        joint = (self._profile.gripper_joint,)
        state = joint_state_message(joint, finger, 0 * finger, self._now_ns())
        return ParallelGripperCommand.Result(state=state, reached_goal=True)

    # --------------------------------------------------------------------------------- the loop

    def _tick(self) -> None:
        now_s = time.monotonic()
        true, speeds, commanded = self._true(now_s)
        self._truth.sample(Sample(now_s, commanded, true))
        self._ticks += 1
        if self._ticks % 2 == 0 and self._joint_fault != 'silent':
            self._joint_states.publish(self._reading(true, speeds))
        if self._ticks % 20 == 0:
            pose = self._kinematics.forward(true)
            names = (self._profile.base_link, self._profile.tip_link)
            transform = transform_to_message(pose, *names, self._now_ns())
            self._transforms.publish(TFMessage(transforms=[transform]))

    def _true(self, now_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Joints (rad) and speeds (rad/s) as they are, and joints as commanded."""
        commanded, speeds = self._player.at(now_s)
        if self._stuck is None:
            return commanded, speeds, commanded
        place, at_rad = self._stuck
        true, slower = commanded.copy(), speeds.copy()
        true[place], slower[place] = at_rad, 0.0
        return true, slower, commanded

    def _reading(self, true: FloatArray, speeds: FloatArray) -> JointState:
        dither = DITHER_RAD_S * (self._ticks // 2 % 2)
        message = joint_state_message(
            (*self._profile.joint_names, self._profile.gripper_joint),
            np.append(true, self._finger_m),
            np.append(speeds + dither, 0.0),
            self._now_ns(),
        )
        if self._joint_fault == 'frozen':
            self._frozen = self._frozen or message
            self._frozen.header = message.header
            return self._frozen
        if self._joint_fault:
            JOINT_STATE_FAULTS[self._joint_fault](message)
        return message

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> int:
    """Be an arm until the runner has gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--arm', required=True)
    parser.add_argument('--truth-fd', type=int, required=True)
    options, _ = parser.parse_known_args()
    return run_node(lambda: FakeArm(options.arm, TruthWriter(options.truth_fd)))


if __name__ == '__main__':
    sys.exit(main())
