"""An Interbotix gripper without ros2_control: single joint commands in linear_position mode.

The driver never answers. What became of a command is read from the joint states: fingers that
have not moved for a while are either there or have stalled.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node
from sensor_msgs.msg import JointState

from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import joints_from_message
from magma_ros.ros.gripper_port import Answer, GripperGoal, judge
from magma_ros.ros.optional_modules import import_optional
from magma_ros.ros.topic_kinds import ENCODERS

JOINT = 'gripper'  # as the driver calls it
REACHED_M = 0.001
STILL_M = 0.0005
STILL_S = 0.3


class InterbotixGripper:
    """``gripper_name`` of the profile is the topic of the commands.

    Args:
        node: publishes and listens.
        profile: of the arm.
        clock: seconds, monotonic.
    """

    def __init__(
        self, node: Node, profile: ArmProfile, clock: Callable[[], float] = time.monotonic
    ) -> None:
        messages = import_optional('interbotix_xs_msgs.msg', 'gripper_interface interbotix')
        self._command = messages.JointSingleCommand
        self._joint, self._clock = (profile.gripper_joint,), clock
        self._publisher = node.create_publisher(self._command, profile.gripper_name, 10)
        self._wanted: tuple[GripperGoal, Answer] | None = None
        self._place_m, self._still_since_s = float('nan'), 0.0
        node.create_subscription(JointState, profile.joint_states_topic, self._on_joints, ENCODERS)

    @property
    def is_ready(self) -> bool:
        """Whether the driver listens."""
        return self._publisher.get_subscription_count() > 0

    def send(self, goal: GripperGoal, answer: Answer) -> None:
        """Command the width, which is twice the position of a finger."""
        self._wanted, self._still_since_s = (goal, answer), self._clock()
        self._publisher.publish(self._command(name=JOINT, cmd=2 * goal.finger_m))

    def close(self) -> None:
        """Leave; the node destroys its publishers."""

    def _on_joints(self, message: JointState) -> None:
        try:
            place_m = float(joints_from_message(message, self._joint)[0][0])
        except ArmError:
            return  # the driver may publish the arm and the fingers apart
        if not abs(place_m - self._place_m) <= STILL_M:
            self._place_m, self._still_since_s = place_m, self._clock()
        if self._wanted is None or self._clock() - self._still_since_s < STILL_S:
            return
        (goal, answer), self._wanted = self._wanted, None
        reached = abs(place_m - goal.finger_m) <= REACHED_M
        text = f'finger at {place_m:.4f} m, wanted {goal.finger_m:.4f} m'
        answer(judge(goal.is_closing, reached, True, text))
