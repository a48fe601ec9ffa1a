"""Sends gripper openings to a gripper action.

ParallelGripperCommand rather than GripperCommand: it is in control_msgs from Humble on, Kilted's
controllers serve nothing else, and it names the joint, so that nobody has to guess whether a
position means one finger or the gap between both.
"""

from __future__ import annotations

from control_msgs.action import ParallelGripperCommand
from rclpy.action import ActionClient
from rclpy.node import Node
from sensor_msgs.msg import JointState

from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import finger_from_opening
from magma_ros.ros.topics import GRIPPER

SMALLEST_CHANGE = 0.01  # of the opening


class GripperClient:
    """Follows a wish: call :meth:`follow` about ten times a second."""

    def __init__(self, node: Node, profile: ArmProfile) -> None:
        self._profile = profile
        self._client: ActionClient = ActionClient(node, ParallelGripperCommand, GRIPPER.name)
        self._sent: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether there is a gripper."""
        return self._client.server_is_ready()

    def follow(self, opening: float) -> None:
        """Send the opening if it differs from the one sent last; a new goal replaces the old."""
        if self._sent is not None and abs(opening - self._sent) < SMALLEST_CHANGE:
            return
        if not self.is_ready:
            return
        position = finger_from_opening(opening, self._profile)
        command = JointState(name=[self._profile.gripper_joint], position=[position])
        self._client.send_goal_async(ParallelGripperCommand.Goal(command=command))
        self._sent = opening

    def close(self) -> None:
        """Leave; nodes do not destroy action clients, which then keep the node's memory."""
        self._client.destroy()

    def forget(self) -> None:
        """The gripper may have been moved by somebody else: send the next wish in any case."""
        self._sent = None
