"""Messages that somebody publishes who should not, or not so, or not so many."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool, String
from std_srvs.srv import Trigger

from magma_ros.data_types import Twist
from magma_ros.errors import EnvironmentMissing
from magma_ros.faults.rig_commands import Handler
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import twist_to_message
from magma_ros.ros.time_stamps import stamp_from_ns

CLOCK_PERIOD_S = 0.005
ANSWER_S = 10.0


class ChaosMessages:
    """Publishers and clients are made when they are wanted: their presence alone is a fault."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clock_ns: int | None = None  # of /clock; None: nobody publishes one
        self._runs = True  # /clock
        self._instructions: Any = None  # the publisher

    def handlers(self) -> dict[str, Handler]:
        """By the names of the commands."""
        return {
            'twists': self._twists,
            'flood': self._flood,
            'incompatible': self._incompatible,
            'raise_with': self._raise_with,
            'set_parameter': self._set_parameter,
            'instruct': self._instruct,
            'trigger': self._trigger,
            'clock': self._clock,
        }

    def _twists(self, count: int, every_s: float, speed_m_s: float) -> dict[str, Any]:
        """Commands to Servo from a stranger."""
        base, at_s = load_arm_profile('wx250s').base_link, time.monotonic()
        publisher = topics.TWIST.publisher(self._node)
        self._await_reader(publisher)
        twist = Twist(np.array([0.0, speed_m_s, 0.0]), np.zeros(3))
        at_s = time.monotonic()
        for _ in range(count):
            publisher.publish(twist_to_message(twist, self._now_ns(), base))
            time.sleep(every_s)
        self._node.destroy_publisher(publisher)
        return {'at_s': at_s}

    def _flood(self, seconds: float) -> dict[str, Any]:
        """As many messages as go out, on the topics of the emergency stop and of the actions."""
        estops = topics.ESTOP.publisher(self._node)
        infos = topics.ACTION_INFO.publisher(self._node)
        self._await_reader(estops)

        def flood(end_s: float) -> None:
            good, nonsense = Bool(data=True), topics.ACTION_INFO.kind()
            while time.monotonic() < end_s:
                estops.publish(good)
                infos.publish(nonsense)

        at_s = time.monotonic()
        threading.Thread(target=flood, args=(at_s + seconds,), daemon=True).start()
        return {'at_s': at_s}

    def _incompatible(self) -> None:
        """A best-effort publisher where a reliable one is wanted."""
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        chunk = topics.ACTION_CHUNK
        self._node.create_publisher(chunk.kind, chunk.name, qos)

    def _raise_with(self, request: str, nonce: str, times: int) -> dict[str, Any]:
        """Ask with this nonce, so many times; how many were granted."""
        client: Any = self._node.create_client(Trigger, topics.OPERATOR_SERVICES[request].name)
        confirmations = topics.CONFIRMATION.publisher(self._node)
        self._await_reader(confirmations)
        granted, texts = 0, set()
        for _ in range(times):
            confirmations.publish(String(data=nonce))
            answer = self._call(client, Trigger.Request())
            granted += answer.success
            texts.add(answer.message)
        self._node.destroy_client(client)
        return {'granted': granted, 'texts': sorted(texts)}

    def _set_parameter(self, node_name: str, name: str, value: float) -> dict[str, Any]:
        """Of another node; what it says about that."""
        client: Any = self._node.create_client(SetParameters, f'/{node_name}/set_parameters')
        parameter = Parameter(name, value=value).to_parameter_msg()
        result = self._call(client, SetParameters.Request(parameters=[parameter])).results[0]
        return {'granted': result.successful, 'text': result.reason}

    def _trigger(self, service: str) -> dict[str, Any]:
        """Call a service; what it says."""
        client: Any = self._node.create_client(Trigger, service)
        answer = self._call(client, Trigger.Request())
        self._node.destroy_client(client)
        return {'done': answer.success, 'text': answer.message}

    def _instruct(self, text: str) -> None:
        """Say something to the model."""
        # Kept: a perception that starts later gets the sentence, too.
        self._instructions = self._instructions or topics.INSTRUCTION.publisher(self._node)
        self._instructions.publish(String(data=text))

    def _clock(self, set_s: float | None = None, runs: bool = True) -> dict[str, Any]:
        """Begin /clock, set it, let it run or stand still."""
        is_new, self._runs = self._clock_ns is None, runs
        if set_s is not None or is_new:
            self._clock_ns = round((set_s or 0.0) * 1e9)
        if is_new:
            threading.Thread(target=self._run_clock, daemon=True).start()
        return {'at_s': time.monotonic()}

    def _run_clock(self) -> None:
        publisher = self._node.create_publisher(Clock, '/clock', 10)
        before_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            assert self._clock_ns is not None  # set before this thread began
            self._clock_ns += round((now_s - before_s) * 1e9) if self._runs else 0
            before_s = now_s
            publisher.publish(Clock(clock=stamp_from_ns(self._clock_ns)))
            time.sleep(CLOCK_PERIOD_S)

    def _await_reader(self, publisher: Any) -> None:
        deadline_s = time.monotonic() + ANSWER_S
        while not publisher.get_subscription_count() and time.monotonic() < deadline_s:
            time.sleep(0.01)

    def _call(self, client: Any, request: Any) -> Any:
        """The executor runs in the main thread; this is the commands' thread."""
        if not client.wait_for_service(ANSWER_S):
            raise EnvironmentMissing(f'nobody serves {client.srv_name}')
        answered = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(ANSWER_S):
            raise EnvironmentMissing(f'{client.srv_name} does not answer')
        return future.result()

    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds
