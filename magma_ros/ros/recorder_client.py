"""Asks the recorder from another process, as an operator's program does."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String
from std_srvs.srv import Trigger

from magma_ros.errors import EnvironmentMissing
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.recorder_topics import RECORDER_NOTE, RECORDER_SERVICES, RECORDER_STATE
from magma_ros.ros.status_messages import status_values

ANSWER_S = 10.0  # to end an episode its last bytes are written


class RecorderClient:
    """A node in a context of its own; everything happens inside the calls. Use with ``with``."""

    def __init__(self, domain_id: int | None = None) -> None:
        os.environ.update(process_environment())  # read when the first node is made
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('magma_recorder_keys', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._notes = RECORDER_NOTE.publisher(self._node)
        self._services: dict[str, Any] = {
            request: self._node.create_client(Trigger, service.name)
            for request, service in RECORDER_SERVICES.items()
        }
        self.text = ''  # what the recorder says, newest
        self.state: dict[str, str] = {}
        RECORDER_STATE.subscribe(self._node, self._take_state)

    def __enter__(self) -> RecorderClient:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def spin(self, duration_s: float) -> None:
        """Listen for a while."""
        deadline_s = time.monotonic() + duration_s
        while (left_s := deadline_s - time.monotonic()) > 0.0:
            self._executor.spin_once(min(left_s, 0.05))

    def ask(self, request: str) -> tuple[bool, str]:
        """One of RECORDER_SERVICES; whether it was done, and what was said.

        Raises:
            EnvironmentMissing: no recorder answers.
        """
        service = self._services[request]
        deadline_s = time.monotonic() + ANSWER_S
        while not service.service_is_ready():
            self._wait(deadline_s, 'no recorder is there: ros2 launch magma_ros record.launch.py')
        future = service.call_async(Trigger.Request())
        while not future.done():
            self._wait(deadline_s, f'the recorder has not answered within {ANSWER_S:.0f} s')
        answer: Trigger.Response = future.result()
        return answer.success, answer.message

    def note(self, text: str) -> None:
        """Say something about the present or the last episode."""
        deadline_s = time.monotonic() + ANSWER_S
        while not self._notes.get_subscription_count():
            self._wait(deadline_s, 'no recorder is there: ros2 launch magma_ros record.launch.py')
        self._notes.publish(String(data=text))
        self.spin(0.2)

    def _wait(self, deadline_s: float, complaint: str) -> None:
        if time.monotonic() > deadline_s:
            raise EnvironmentMissing(complaint)
        self._executor.spin_once(0.05)

    def _take_state(self, message: DiagnosticStatus) -> None:
        self.text, self.state = message.message, status_values(message)
