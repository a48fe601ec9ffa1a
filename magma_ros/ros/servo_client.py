"""Talks to MoveIt Servo (Jazzy and later; our stand-in speaks the same).

Humble's Servo has other services and status numbers: it needs a second class with this protocol.
"""

from __future__ import annotations

from typing import Protocol

from moveit_msgs.msg import ServoStatus
from moveit_msgs.srv import ServoCommandType
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from magma_ros.data_types import Twist
from magma_ros.ros.arm_messages import twist_to_message
from magma_ros.ros.topics import SERVO_STATUS, SWITCH_COMMAND_TYPE, TWIST

STATUS_NAMES = {
    ServoStatus.INVALID: 'INVALID',
    ServoStatus.NO_WARNING: 'NO_WARNING',
    ServoStatus.DECELERATE_FOR_APPROACHING_SINGULARITY: 'DECELERATE_FOR_APPROACHING_SINGULARITY',
    ServoStatus.HALT_FOR_SINGULARITY: 'HALT_FOR_SINGULARITY',
    ServoStatus.DECELERATE_FOR_LEAVING_SINGULARITY: 'DECELERATE_FOR_LEAVING_SINGULARITY',
    ServoStatus.DECELERATE_FOR_COLLISION: 'DECELERATE_FOR_COLLISION',
    ServoStatus.HALT_FOR_COLLISION: 'HALT_FOR_COLLISION',
    ServoStatus.JOINT_BOUND: 'JOINT_BOUND',
}


class ServoClient(Protocol):
    """What the controller needs of a Servo."""

    @property
    def is_ready(self) -> bool:
        """Whether Servo has taken the command type."""

    @property
    def status_name(self) -> str:
        """The status last heard; Servo latches it."""

    def prepare(self) -> None:
        """Ask once more for what is still missing; call about once a second."""

    def send(self, twist: Twist, stamp_ns: int) -> None:
        """Command a twist in base axes; from any thread."""


class TwistServoClient:
    """Jazzy's Servo in twist mode. Twists in the base frame turn about the tool point there."""

    def __init__(self, node: Node, base_link: str) -> None:
        self._base_link = base_link
        self._publisher = TWIST.publisher(node)
        self._switch: Client = node.create_client(ServoCommandType, SWITCH_COMMAND_TYPE.name)
        self._answer: Future | None = None
        self._has_switched = False
        self._status = ServoStatus.NO_WARNING
        self._was_heard = False
        SERVO_STATUS.subscribe(node, self._on_status)

    @property
    def is_ready(self) -> bool:
        """Whether Servo has taken the command type and still has its service."""
        return self._has_switched and self._switch.service_is_ready()

    @property
    def status_name(self) -> str:
        """The status last heard, by its name in ServoStatus."""
        if not self._was_heard:
            return 'SILENT'
        return STATUS_NAMES.get(self._status, f'UNKNOWN_{self._status}')

    def prepare(self) -> None:
        """Switch to twists, again whenever Servo has come back."""
        if not self._switch.service_is_ready():
            self._has_switched, self._answer = False, None
        elif not self._has_switched and self._answer is None:
            request = ServoCommandType.Request(command_type=ServoCommandType.Request.TWIST)
            self._answer = self._switch.call_async(request)
            self._answer.add_done_callback(self._on_switched)

    def send(self, twist: Twist, stamp_ns: int) -> None:
        """Publish the twist; the stamp must be of now, Servo obeys stamps from the future."""
        self._publisher.publish(twist_to_message(twist, stamp_ns, self._base_link))

    def _on_switched(self, answer: Future) -> None:
        response = answer.result()
        self._has_switched = response is not None and response.success
        self._answer = None

    def _on_status(self, message: ServoStatus) -> None:
        self._status, self._was_heard = message.code, True
