"""MoveIt Servo of Humble: twists only, started and paused by Trigger services.

Its status is an Int8 whose numbers differ from Jazzy's (moveit_servo 2.5, status_codes.h).
"""

from __future__ import annotations

from functools import partial

from rclpy.client import Client
from rclpy.node import Node
from std_msgs.msg import Int8
from std_srvs.srv import Trigger

from magma_ros.errors import ConfigurationError
from magma_ros.ros.servo_client import CommandMode, NoteStamp, ignore_stamp
from magma_ros.ros.servo_stream import ServoState, ServoStream, Step
from magma_ros.ros.topics import SERVO_STATUS

SERVICES = {
    name: f'/servo_node/{name}' for name in ('start_servo', 'pause_servo', 'unpause_servo')
}
STATUS_NAMES = {
    -1: 'INVALID',
    0: 'NO_WARNING',
    1: 'DECELERATE_FOR_APPROACHING_SINGULARITY',
    2: 'HALT_FOR_SINGULARITY',
    3: 'DECELERATE_FOR_COLLISION',
    4: 'HALT_FOR_COLLISION',
    5: 'JOINT_BOUND',
    6: 'DECELERATE_FOR_LEAVING_SINGULARITY',
}


class HumbleServo(ServoStream):
    """This Servo does nothing before it is started."""

    def __init__(self, node: Node, base_link: str, note_stamp: NoteStamp = ignore_stamp) -> None:
        super().__init__(node, base_link, note_stamp)
        self._clients: dict[str, Client] = {
            name: node.create_client(Trigger, service) for name, service in SERVICES.items()
        }
        node.create_subscription(Int8, SERVO_STATUS.name, self._on_status, SERVO_STATUS.wanted)

    def select(self, mode: CommandMode) -> None:
        """Twists are all there is.

        Raises:
            ConfigurationError: poses are wanted.
        """
        if mode is not CommandMode.TWIST:
            raise ConfigurationError(
                f"Humble's Servo takes no {mode.value} stream; choose twist, or Jazzy or later"
            )
        super().select(mode)

    def _is_there(self) -> bool:
        return all(client.service_is_ready() for client in self._clients.values())

    def _steps_to(self, state: ServoState) -> list[Step]:
        names = ('start_servo', 'pause_servo' if state.is_paused else 'unpause_servo')
        return [partial(self._clients[name].call_async, Trigger.Request()) for name in names]

    def _on_status(self, message: Int8) -> None:
        self._note_status(STATUS_NAMES.get(message.data, f'UNKNOWN_{message.data}'))
