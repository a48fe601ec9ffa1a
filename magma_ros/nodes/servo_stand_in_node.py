"""Speaks MoveIt Servo's Jazzy interface where MoveIt is not installed (twists only).

Differs from Servo on purpose: a stamp from the future is refused (Servo obeys it past its own
timeout), and what is published always ends at rest.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import TwistStamped
from moveit_msgs.msg import ServoStatus
from moveit_msgs.srv import ServoCommandType
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError
from magma_ros.latest_value import LatestValue
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import joints_from_message, twist_from_message
from magma_ros.ros.deadline_loop import DeadlineLoop
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter
from magma_ros.ros.status_messages import heartbeat_message
from magma_ros.ros.time_stamps import duration_from_s, stamp_to_ns
from magma_ros.sim.servo_stand_in import ServoOutput, ServoSettings, ServoStandIn

FUTURE_S = 0.02  # clocks of one machine
STOPPING_S = 0.1  # after its last point a trajectory is at rest


@dataclass(frozen=True)
class ServoParameters:
    """Named like Servo's own where it has them."""

    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    publish_period: float = parameter(0.02, 'of the loop', 's', 0.002, 0.1)
    incoming_command_timeout: float = parameter(0.1, 'age of a stale command', 's', 0.02, 1.0)
    scale_linear: float = parameter(0.25, 'cap of the speed', 'm/s', 0.01, 1.0)
    scale_rotational: float = parameter(1.0, 'cap of the turning speed', 'rad/s', 0.01, 5.0)


class ServoStandInNode(Node):
    """Twists in, joint trajectories out."""

    def __init__(self) -> None:
        super().__init__(
            'servo_stand_in_node', automatically_declare_parameters_from_overrides=True
        )
        self._set = declare_parameters(self, ServoParameters)
        self._profile = load_arm_profile(self._set.arm)
        settings = ServoSettings(
            publish_period=self._set.publish_period,
            incoming_command_timeout=self._set.incoming_command_timeout,
            linear_scale=self._set.scale_linear,
            rotational_scale=self._set.scale_rotational,
            lower_singularity_threshold=self._profile.singularity_slow,
            hard_stop_singularity_threshold=self._profile.singularity_stop,
            joint_limit_margin=self._profile.joint_margin_rad,
        )
        self._servo = ServoStandIn(self._profile.kinematics(), settings)
        self._takes_twists = self._is_paused = False
        self._joints: LatestValue[FloatArray] = LatestValue()
        self._twist: LatestValue[TwistStamped] = LatestValue()
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        topics.TWIST.subscribe(self, lambda m: self._twist.put(m, time.monotonic()))
        self._trajectories = topics.ARM_TRAJECTORY.publisher(self)
        self._statuses = topics.SERVO_STATUS.publisher(self)
        self._heartbeat = topics.heartbeat_topic(self.get_name()).publisher(self)
        self.create_service(ServoCommandType, topics.SWITCH_COMMAND_TYPE.name, self._on_switch)
        self.create_service(SetBool, topics.PAUSE_SERVO.name, self._on_pause)
        self.create_timer(0.1, self._on_tenth)
        self._loop = DeadlineLoop('servo', self._set.publish_period, self._tick)
        self._loop.start()

    @property
    def has_failed(self) -> bool:
        """Whether the loop has died."""
        return not self._loop.is_alive

    def close(self) -> None:
        """Stop; what was published last ends at rest."""
        self._loop.stop()

    def _on_joints(self, message: JointState) -> None:
        try:
            positions, _ = joints_from_message(message, self._profile.joint_names)
        except ArmError as error:
            self.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._joints.put(positions, time.monotonic())

    def _on_switch(
        self, request: ServoCommandType.Request, response: ServoCommandType.Response
    ) -> ServoCommandType.Response:
        # Twists are all this one understands; like Servo it keeps the old type when it refuses.
        response.success = request.command_type == ServoCommandType.Request.TWIST
        self._takes_twists = self._takes_twists or response.success
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._is_paused, response.success = request.data, True
        return response

    def _on_tenth(self) -> None:
        if self._loop.is_alive:
            now_ns = self.get_clock().now().nanoseconds
            self._heartbeat.publish(heartbeat_message(self.get_name(), now_ns))

    def _tick(self) -> None:
        measured = self._joints.peek()
        if measured is None or self._is_paused:
            return  # Servo is silent, too
        message = self._twist.peek() if self._takes_twists else None
        if message is None:
            output = self._servo.step(None, np.inf, measured)
        elif message.header.frame_id != self._profile.base_link:
            output = ServoOutput(ServoStatus.INVALID, None, None)  # type: ignore[arg-type]
        else:
            output = self._servo.step(twist_from_message(message), self._age_s(message), measured)
        self._statuses.publish(ServoStatus(code=int(output.status)))
        if output.positions_rad is not None and output.velocities_rad_s is not None:
            self._trajectories.publish(
                self._trajectory(output.positions_rad, output.velocities_rad_s)
            )

    def _age_s(self, message: TwistStamped) -> float:
        now_ns = self.get_clock().now().nanoseconds
        age_s = (now_ns - stamp_to_ns(message.header.stamp)) * 1e-9
        return age_s if age_s > -FUTURE_S else np.inf

    def _trajectory(self, positions: FloatArray, velocities: FloatArray) -> JointTrajectory:
        """The next period, and then to rest: if this is the last message the arm stops."""
        period_s = self._set.publish_period
        after = positions + 0.5 * STOPPING_S * velocities
        return JointTrajectory(
            joint_names=self._profile.joint_names,
            points=[
                JointTrajectoryPoint(
                    positions=positions.tolist(),
                    velocities=velocities.tolist(),
                    time_from_start=duration_from_s(period_s),
                ),
                JointTrajectoryPoint(
                    positions=after.tolist(),
                    velocities=[0.0] * len(after),
                    time_from_start=duration_from_s(period_s + STOPPING_S),
                ),
            ],
        )


def main() -> int:
    """Run the stand-in until SIGINT or SIGTERM."""
    return run_node(ServoStandInNode)


if __name__ == '__main__':
    sys.exit(main())
