"""The person at the rig: emergency stop, deadman switch, and the button that raises."""

from __future__ import annotations

import queue
import sys
import threading
import time
from typing import Any

import rclpy
from rclpy.context import Context
from std_msgs.msg import Bool

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.faults.guard import check_allowed
from magma_ros.faults.rig_commands import CommandServer
from magma_ros.ros import topics
from magma_ros.ros.operator_client import OperatorClient

PERIOD_S = 0.05  # of the deadman switch; the emergency stop is heard as often


class Switches:
    """The emergency stop and the deadman switch, published whatever else the operator does."""

    def __init__(self) -> None:
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node('operator_switches', context=self._context)
        self._estops = topics.ESTOP.publisher(self._node)
        self._deadmans = topics.DEADMAN.publisher(self._node)
        self._estop: bool | None = True  # True is well; None: silent
        self._deadman: bool | None = False
        threading.Thread(target=self._run, daemon=True).start()

    def estop(self, value: bool | None) -> dict[str, Any]:
        """Press (False), release (True) or lose (None) the emergency stop."""
        self._estop = value
        return self._say()

    def deadman(self, value: bool | None) -> dict[str, Any]:
        """Press (True), release (False) or lose (None) the switch."""
        self._deadman = value
        return self._say()

    def _run(self) -> None:
        while True:
            self._say()
            time.sleep(PERIOD_S)

    def _say(self) -> dict[str, Any]:
        at_s = time.monotonic()
        if self._estop is not None:
            self._estops.publish(Bool(data=self._estop))
        if self._deadman is not None:
            self._deadmans.publish(Bool(data=self._deadman))
        return {'at_s': at_s}


def main() -> int:
    """Be there until the runner has gone."""
    try:
        check_allowed()
    except ConfigurationError as error:
        sys.stderr.write(f'{error}\n')
        return 2
    switches, requests = Switches(), queue.Queue[tuple[str, queue.Queue]]()

    def ask(request: str) -> dict[str, Any]:
        """Ask the controller; in the client's own thread, which is the main one."""
        answer: queue.Queue[dict[str, Any]] = queue.Queue()
        requests.put((request, answer))
        return answer.get()

    commands = CommandServer({'ask': ask, 'estop': switches.estop, 'deadman': switches.deadman})
    commands.start()
    with OperatorClient() as client:
        while commands.is_alive:
            try:
                request, answer = requests.get_nowait()
            except queue.Empty:
                client.spin(0.02)
                continue
            try:
                granted, text = client.ask(request)
            except EnvironmentMissing as error:
                granted, text = False, str(error)
            answer.put({'granted': granted, 'text': text})
    return 0


if __name__ == '__main__':
    sys.exit(main())
