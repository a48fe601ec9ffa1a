"""What an operator's program can do from outside: ask, set, tell, and listen."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.ros import topics
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.status_messages import status_values

ANSWER_S = 5.0  # a service that takes longer is taken for dead
LOADING_S = 300.0  # of a model of billions of parameters
ARMING_S = 8.0  # the controller gives up earlier
CONFIRM_S = 0.05  # between two confirmations
HEARD_S = 0.2  # until they, or the present state, are heard
MOTION_S = 60.0  # planning and execution
TAKE_TIME = {  # requests that are granted at their end: the mode meanwhile, and how long at most
    'arm': ('arming', ARMING_S),
    **{name: ('planned', MOTION_S) for name in ('home', 'approach', 'retreat')},
}
RAISES = ('start', 'clear', *TAKE_TIME)  # requests that need the confirmation
DISCOVERY_S = 1.5


class OperatorClient:
    """A node in a context of its own; everything happens inside the calls, in their thread.

    Args:
        domain_id: ROS domain; None keeps the inherited one.
        check: called while waiting; raises if waiting has become pointless.

    Raises:
        ConfigurationError: the domain is not possible.
    """

    def __init__(
        self, domain_id: int | None = None, check: Callable[[], None] = lambda: None
    ) -> None:
        self._check = check
        os.environ.update(process_environment())  # read when the first node is made
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('magma_operator', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._instructions = topics.INSTRUCTION.publisher(self._node)
        self._confirmations = topics.CONFIRMATION.publisher(self._node)
        self._button: str | None = None  # the nonce it confirms; None: nobody holds it
        self._confirmed_s = 0.0  # the last time
        self._modes: deque[str] = deque(maxlen=100)  # of the controller since asked
        self._services: dict[str, Any] = {}
        self._heard: set[str] = set()
        self._heartbeats: set[str] = set()
        self.state: dict[str, str] = {}  # of the controller, newest
        self.outcome: dict[str, str] = {}  # of the simulation, newest
        self.perception: dict[str, str] = {}
        self.perception_text = ''
        self.on_state: Callable[[dict[str, str]], None] = lambda values: None
        self.on_action: Callable[[dict[str, str]], None] = lambda values: None
        topics.STATE.subscribe(self._node, self._take_state)
        topics.SIM_OUTCOME.subscribe(self._node, self._take_outcome)
        topics.PERCEPTION_STATE.subscribe(self._node, self._take_perception)
        topics.ACTION_INFO.subscribe(self._node, lambda m: self.on_action(status_values(m)))

    def __enter__(self) -> OperatorClient:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def spin(self, duration_s: float) -> None:
        """Listen for a while."""
        self.wait_for(lambda: False, duration_s)

    def wait_for(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        """Listen until something is so; whether it became so in time."""
        deadline_s = time.monotonic() + timeout_s
        while not is_done():
            self._check()
            self._confirm()
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            self._executor.spin_once(min(left_s, 0.05))
        return True

    def running_nodes(self) -> set[str]:
        """Names of the other nodes of this domain, after listening for a while."""
        self.spin(DISCOVERY_S)
        return set(self._node.get_node_names()) - {self._node.get_name()}

    def missing_heartbeats(self, names: Iterable[str]) -> list[str]:
        """The nodes among ``names`` that have not been heard since this was first asked."""
        for name in names:
            if name not in self._heartbeats:
                self._heartbeats.add(name)
                topics.heartbeat_topic(name).subscribe(
                    self._node, lambda m: self._heard.add(m.frame_id)
                )
        return [name for name in names if name not in self._heard]

    def ask(self, request: str, nonce: str | None = None) -> tuple[bool, str]:
        """Call one of the operator's services, such as ``arm``; granted, and what was said.

        Requests that raise are confirmed as a person would who holds the button: with the nonce
        of the state that was decided on, however that changes meanwhile, for as long as it takes.
        ``arm`` is granted when the arm is ready, ``home`` and the like when it has arrived.

        Args:
            request: name of the service.
            nonce: of the state that the person has seen; None: of the one that is shown now.

        Raises:
            EnvironmentMissing: the controller does not answer.
        """
        service = topics.OPERATOR_SERVICES[request].name
        if request not in RAISES:
            return self._trigger(service)
        self.wait_for(lambda: self._confirmations.get_subscription_count() > 0, ANSWER_S)
        self.wait_for(lambda: bool(self.state), ANSWER_S)
        if nonce is None:
            self.spin(HEARD_S)
        self._button = self.state.get('nonce', '') if nonce is None else nonce
        try:
            self.spin(HEARD_S)
            self._modes.clear()
            granted, text = self._trigger(service)
            if granted and request in TAKE_TIME:
                return self._await_ready(*TAKE_TIME[request], text)
            return granted, text
        finally:
            self._button = None

    def home(self) -> tuple[bool, str]:
        """Send the arm to its start pose; whether it has arrived, and what was said."""
        return self.ask('home')

    def reset_sim(self) -> str:
        """Lay the table; the sentence of the scenario.

        Raises:
            ConfigurationError: the parameters of the simulation make no scenario.
            EnvironmentMissing: the simulation does not answer.
        """
        is_done, text = self._trigger(topics.SIM_RESET.name)
        if not is_done:
            raise ConfigurationError(text)
        return text

    def set_parameters(self, node_name: str, values: Mapping[str, Any]) -> None:
        """Set parameters of another node.

        Raises:
            ConfigurationError: it refuses one.
            EnvironmentMissing: it does not answer.
        """
        parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        request = SetParameters.Request(parameters=parameters)
        answer = self._call(SetParameters, f'/{node_name}/set_parameters', request)
        for parameter, result in zip(parameters, answer.results, strict=True):
            if not result.successful:
                raise ConfigurationError(f'{node_name}, {parameter.name}: {result.reason}')

    def reload_perception(self, values: Mapping[str, Any]) -> None:
        """Let perception forget its model, and load the one these parameters say.

        Raises:
            ConfigurationError: it refuses a parameter.
            EnvironmentMissing: it does not answer, or cannot load that model.
        """
        for name in ('deactivate', 'cleanup'):
            self._change_state('perception_node', name)  # refused where it has not got so far
        self.set_parameters('perception_node', values)
        for name in ('configure', 'activate'):
            if not self._change_state('perception_node', name):
                raise EnvironmentMissing(f'perception cannot {name}: {self.perception_text}')
        self.spin(HEARD_S)
        is_loaded = self.wait_for(lambda: self.perception.get('worker') == 'ready', LOADING_S)
        if not is_loaded or self.perception.get('reason') == 'MODEL_HASH':
            raise EnvironmentMissing(f'perception has not loaded it: {self.perception_text}')

    def instruct(self, sentence: str) -> None:
        """Say what to do; an empty sentence means nothing. Waits for a listener first."""
        self.wait_for(lambda: self._instructions.get_subscription_count() > 0, DISCOVERY_S)
        self._instructions.publish(String(data=sentence))

    def _await_ready(self, mode: str, timeout_s: float, text: str) -> tuple[bool, str]:
        """Hold the button until that mode has ended."""
        self.wait_for(lambda: mode in self._modes and self._modes[-1] != mode, timeout_s)
        if self._modes and self._modes[-1] == 'ready':
            return True, text
        words = (self.state.get(key, '') for key in ('reason', 'active', 'arming', 'planned'))
        return False, f'{self.state["mode"]}; {" ".join(filter(None, words))}'

    def _confirm(self) -> None:
        """Say that the button is held, and in which state it was pressed."""
        now_s = time.monotonic()
        if self._button is not None and now_s - self._confirmed_s >= CONFIRM_S:
            self._confirmed_s = now_s
            self._confirmations.publish(String(data=self._button))

    def _change_state(self, node_name: str, name: str) -> bool:
        transition = Transition(id=getattr(Transition, f'TRANSITION_{name.upper()}'), label=name)
        request = ChangeState.Request(transition=transition)
        return self._call(ChangeState, f'/{node_name}/change_state', request, LOADING_S).success

    def _trigger(self, name: str) -> tuple[bool, str]:
        answer = self._call(Trigger, name, Trigger.Request())
        return answer.success, answer.message

    def _call(self, kind: type, name: str, request: Any, answer_s: float = ANSWER_S) -> Any:
        if name not in self._services:
            self._services[name] = self._node.create_client(kind, name)
        service = self._services[name]
        if not self.wait_for(service.service_is_ready, ANSWER_S):
            raise EnvironmentMissing(f'nobody serves {name}; are the nodes running?')
        future = service.call_async(request)
        if not self.wait_for(future.done, answer_s):
            raise EnvironmentMissing(f'{name} has not answered within {answer_s:.0f} s')
        return future.result()

    def _take_state(self, message: DiagnosticStatus) -> None:
        self.state = status_values(message)
        self._modes.append(self.state['mode'])
        self.on_state(self.state)

    def _take_outcome(self, message: DiagnosticStatus) -> None:
        self.outcome = status_values(message)

    def _take_perception(self, message: DiagnosticStatus) -> None:
        self.perception, self.perception_text = status_values(message), message.message
