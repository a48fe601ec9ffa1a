"""Finds out which MoveIt Servo there is, by the services it offers."""

from __future__ import annotations

import time

from rclpy.node import Node

from magma_ros.data_types import Pose, Twist
from magma_ros.errors import EnvironmentMissing
from magma_ros.motion.reason_codes import Reason
from magma_ros.ros.servo_client import (
    SILENT,
    CommandMode,
    NoteStamp,
    ServoClient,
    ignore_stamp,
)
from magma_ros.ros.servo_humble import SERVICES, HumbleServo
from magma_ros.ros.servo_jazzy import JazzyServo
from magma_ros.ros.topics import SWITCH_COMMAND_TYPE

TELLTALES: dict[tuple[str, str], type[JazzyServo] | type[HumbleServo]] = {
    (SWITCH_COMMAND_TYPE.name, 'moveit_msgs/srv/ServoCommandType'): JazzyServo,
    (SERVICES['start_servo'], 'std_srvs/srv/Trigger'): HumbleServo,
}
PATIENCE_S = 10.0
POLL_S = 0.05


def offered_servo(node: Node) -> type[JazzyServo] | type[HumbleServo] | None:
    """The adapter for the Servo in the graph; None when there is none."""
    offered = dict(node.get_service_names_and_types())
    for (name, kind), adapter in TELLTALES.items():
        if kind in offered.get(name, ()):
            return adapter
    return None


def wait_for_servo(node: Node, base_link: str, timeout_s: float = PATIENCE_S) -> ServoClient:
    """The adapter for the Servo in the graph; waits for one without spinning the node.

    Raises:
        EnvironmentMissing: none came in time; the message says what was looked for.
    """
    deadline_s = time.monotonic() + timeout_s
    while (adapter := offered_servo(node)) is None:
        if time.monotonic() > deadline_s:
            raise EnvironmentMissing(_missing(timeout_s))
        time.sleep(POLL_S)
    return adapter(node, base_link)


class ServoFinder:
    """A :class:`ServoClient` for a node that must not wait: it looks in :meth:`prepare`."""

    def __init__(self, node: Node, base_link: str, note_stamp: NoteStamp = ignore_stamp) -> None:
        self._node, self._base_link, self._note_stamp = node, base_link, note_stamp
        self._found: ServoClient | None = None
        self._begun_s = time.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether a Servo was found and obeys."""
        return self._found is not None and self._found.is_ready

    @property
    def is_paused(self) -> bool:
        """Whether Servo publishes nothing."""
        return self._found is not None and self._found.is_paused

    @property
    def status_name(self) -> str:
        """The status last heard."""
        return SILENT if self._found is None else self._found.status_name

    @property
    def reason(self) -> Reason | None:
        """What is wrong."""
        return None if self._found is None else self._found.reason

    def prepare(self) -> None:
        """Look for a Servo, then ask it for what is missing."""
        if self._found is None:
            adapter = offered_servo(self._node)
            if adapter is not None:
                self._found = adapter(self._node, self._base_link, self._note_stamp)
        if self._found is not None:
            self._found.prepare()
        elif time.monotonic() - self._begun_s > PATIENCE_S:
            self._node.get_logger().error(_missing(PATIENCE_S), throttle_duration_sec=30.0)

    def send(self, twist: Twist, stamp_ns: int) -> None:
        """Pass on."""
        if self._found is not None:
            self._found.send(twist, stamp_ns)

    def send_pose(self, goal: Pose, measured: Pose, stamp_ns: int) -> None:
        """Pass on."""
        if self._found is not None:
            self._found.send_pose(goal, measured, stamp_ns)

    def select(self, mode: CommandMode) -> None:
        """Pass on."""
        self._servo().select(mode)

    def pause(self) -> None:
        """Pass on."""
        self._servo().pause()

    def resume(self) -> None:
        """Pass on."""
        self._servo().resume()

    def _servo(self) -> ServoClient:
        if self._found is None:
            raise EnvironmentMissing(_missing(time.monotonic() - self._begun_s))
        return self._found


def _missing(waited_s: float) -> str:
    wanted = ' or '.join(f'{name} ({kind})' for name, kind in TELLTALES)
    return (
        f'no MoveIt Servo after {waited_s:.0f} s: looked for the service {wanted}; start '
        'servo_node, or servo_stand_in_node where MoveIt is not installed'
    )
