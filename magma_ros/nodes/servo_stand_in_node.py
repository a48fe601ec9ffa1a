"""Speaks MoveIt Servo's interface (Jazzy and later) where MoveIt is not installed.

Reads the very parameters MoveIt's servo_node would get, ``config/moveit/<arm>/servo.yaml``, and
differs from it as docs/servo_stand_in.md says.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError
from magma_ros.latest_value import LatestValue
from magma_ros.nodes.servo_messages import (
    jog_command,
    pose_command,
    trajectory_message,
    twist_command,
)
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import joints_from_message
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter
from magma_ros.ros.status_messages import heartbeat_message
from magma_ros.sim.servo_collision import Table
from magma_ros.sim.servo_records import Command
from magma_ros.sim.servo_setup import make_stand_in


@dataclass(frozen=True)
class ServoParameters:
    """All else is in ``config/moveit/<arm>/servo.yaml``."""

    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    watch_table: bool = parameter(
        False, 'slow down before the plane z = 0, too; nothing on it can then be picked up'
    )


class ServoStandInNode(Node):
    """Twists, poses and joint jogs in, joint trajectories out."""

    def __init__(self) -> None:
        super().__init__(
            'servo_stand_in_node', automatically_declare_parameters_from_overrides=True
        )
        wanted = declare_parameters(self, ServoParameters)
        self._profile = load_arm_profile(wanted.arm)
        self._servo = make_stand_in(self._profile, (Table(0.0),) if wanted.watch_table else ())
        self._epoch_ns = self.get_clock().now().nanoseconds
        self._lock = threading.Lock()  # of the stand-in: its loop is another thread
        self._joints: LatestValue[FloatArray] = LatestValue()
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        topics.TWIST.subscribe(self, self._taker(twist_command))
        topics.POSE_TARGET.subscribe(self, self._taker(pose_command))
        topics.JOINT_JOG.subscribe(self, self._taker(jog_command))
        self._trajectories = topics.ARM_TRAJECTORY.publisher(self)
        self._statuses = topics.SERVO_STATUS.publisher(self)
        self._new_status = topics.SERVO_STATUS.kind
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        switch = topics.SWITCH_COMMAND_TYPE
        self.create_service(switch.kind, switch.name, self._on_switch)
        self.create_service(SetBool, topics.PAUSE_SERVO.name, self._on_pause)
        self.create_timer(0.1, self._on_tenth)
        self._loop = DeadlineLoop('servo', self._servo.settings.publish_period, self._tick)
        self._loop.start()

    @property
    def has_failed(self) -> bool:
        """Whether the loop has died."""
        return not self._loop.is_alive

    def close(self) -> None:
        """Stop; as with Servo the last trajectory ends as it is."""
        self._loop.stop()

    def _on_joints(self, message: JointState) -> None:
        try:
            positions, _ = joints_from_message(message, self._profile.joint_names)
        except ArmError as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._joints.put(positions, time.monotonic())

    def _taker(self, read: Callable[[Any, int], Command]) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            with self._lock:
                self._servo.receive(read(message, self._epoch_ns))

        return take

    def _on_switch(self, request: Any, response: Any) -> Any:
        with self._lock:
            response.success = self._servo.switch_command_type(request.command_type)
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        with self._lock:
            self._servo.pause(request.data)
        response.success = True
        return response

    def _on_tenth(self) -> None:
        if self._loop.is_alive:
            now_ns = self.get_clock().now().nanoseconds
            self._heartbeat.publish(heartbeat_message(self.get_name(), now_ns))

    def _tick(self) -> None:
        measured = self._joints.peek()
        if measured is None:
            return  # Servo waits for the arm, too
        now_s = (self.get_clock().now().nanoseconds - self._epoch_ns) * 1e-9
        with self._lock:
            output = self._servo.tick(now_s, measured)
        if output.status is not None:
            self._statuses.publish(self._new_status(code=int(output.status)))
        if output.points:
            self._trajectories.publish(
                trajectory_message(self._profile.joint_names, output.points, self._epoch_ns)
            )


def main() -> int:
    """Run the stand-in until SIGINT or SIGTERM."""
    return run_node(ServoStandInNode)


if __name__ == '__main__':
    sys.exit(main())
