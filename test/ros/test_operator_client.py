"""What an operator's program sends, with a controller that changes its mind meanwhile."""

from __future__ import annotations

import threading

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.operator_client import OperatorClient  # noqa: E402
from magma_ros.ros.status_messages import status_message  # noqa: E402

pytestmark = pytest.mark.ros


class FickleController:
    """Shows nonce ``a-1`` until it hears a confirmation, then ``a-2``."""

    def __init__(self, domain_id: int) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node('fickle_controller', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.confirmed: list[str] = []
        self._states = topics.STATE.publisher(self.node)
        topics.CONFIRMATION.subscribe(self.node, lambda m: self.confirmed.append(m.data))
        service = topics.OPERATOR_SERVICES['start']
        self.node.create_service(Trigger, service.name, self._answer)
        self.node.create_timer(0.02, self._publish)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _publish(self) -> None:
        nonce = 'a-2' if self.confirmed else 'a-1'
        self._states.publish(status_message('controller', '', {'mode': 'ready', 'nonce': nonce}))

    def _answer(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self.confirmed[-1:] == ['a-2']  # that of its present state
        return response

    def _spin(self) -> None:
        while not self._stopped.is_set():
            self._executor.spin_once(0.05)


def test_the_nonce_that_was_decided_on_is_confirmed_whatever_is_shown_later(
    domain_id: int,
) -> None:
    controller = FickleController(domain_id)
    try:
        with OperatorClient(domain_id) as client:
            assert not client.ask('start')[0], 'a state was confirmed that nobody had seen'
            assert set(controller.confirmed) == {'a-1'}
            assert client.state['nonce'] == 'a-2'
            assert client.ask('start')[0]
            assert not client.ask('start', nonce='a-1')[0]
            assert controller.confirmed[-1] == 'a-1'
    finally:
        controller.close()
