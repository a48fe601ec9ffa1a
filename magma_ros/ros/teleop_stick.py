"""What a console sends to ``teleop_node`` while a person holds the switch on its screen."""

from __future__ import annotations

import os
from types import TracebackType

import rclpy
from geometry_msgs.msg import TwistStamped, Vector3
from rclpy.context import Context
from std_msgs.msg import Float64

from magma_ros.data_types import Twist
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.teleop_topics import TELEOP_GRIPPER, TELEOP_TWIST


class TeleopStick:
    """A node in a context of its own. Use with ``with``."""

    def __init__(self, domain_id: int | None = None) -> None:
        os.environ.update(process_environment())  # read when the first node is made
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('magma_stick', context=self._context)
        self._twists = TELEOP_TWIST.publisher(self._node)
        self._openings = TELEOP_GRIPPER.publisher(self._node)

    def __enter__(self) -> TeleopStick:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the domain, which is a release."""
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def hold(self, twist: Twist, opening: float) -> None:
        """The switch is held: velocity in base axes, and the gripper; again within 0.1 s."""
        message = TwistStamped()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.header.frame_id = 'base'
        message.twist.linear = Vector3(**_xyz(twist.linear_m_s))
        message.twist.angular = Vector3(**_xyz(twist.angular_rad_s))
        self._twists.publish(message)
        self._openings.publish(Float64(data=float(opening)))


def _xyz(vector: object) -> dict[str, float]:
    return dict(zip('xyz', map(float, vector), strict=True))  # type: ignore[call-overload]
