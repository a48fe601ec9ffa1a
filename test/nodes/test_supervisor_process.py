"""The supervisor as a process: a planned motion does not outlive its controller."""

import time

import pytest

pytest.importorskip('rclpy')

import rclpy  # noqa: E402
from action_msgs.srv import CancelGoal  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402

from magma_ros.nodes.node_processes import NodeProcesses  # noqa: E402
from magma_ros.nodes.node_program import NodeProgram  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.status_messages import heartbeat_message  # noqa: E402

pytestmark = pytest.mark.ros
PATIENCE_S = 30.0


class Arm:
    """A trajectory controller that counts how often it is told to cancel everything."""

    def __init__(self, domain_id):
        self.cancelled = 0
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node('arm', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        name = f'{topics.FOLLOW_TRAJECTORY.name}/_action/cancel_goal'
        self.node.create_service(CancelGoal, name, self._on_cancel)
        self._controller = topics.heartbeat_topic('controller_node').publisher(self.node)

    def _on_cancel(self, request, response):
        assert not any(request.goal_info.goal_id.uuid)  # all of them
        self.cancelled += 1
        return response

    def live(self, seconds):
        """The controller lives for a while."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            now_ns = self.node.get_clock().now().nanoseconds
            self._controller.publish(heartbeat_message('controller_node', now_ns))
            self._executor.spin_once(0.02)

    def wait(self, is_so):
        until_s = time.monotonic() + PATIENCE_S
        while not is_so() and time.monotonic() < until_s:
            self._executor.spin_once(0.05)
        return is_so()

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()


def test_what_a_silent_controller_left_running_is_cancelled_once(domain_id):
    generous = {'controller_hold_s': 1.0, 'controller_stop_s': 2.0}  # the machine may be busy
    supervisor = NodeProgram('supervisor_node', ('supervisor.yaml',))
    with NodeProcesses([supervisor], {'supervisor_node': generous}, domain_id):
        arm = Arm(domain_id)
        try:
            name = topics.heartbeat_topic('controller_node').name
            assert arm.wait(lambda: arm.node.count_subscribers(name) > 0)
            assert not arm.cancelled, 'a controller that was never there has left nothing'
            arm.live(1.0)
            assert not arm.cancelled

            assert arm.wait(lambda: arm.cancelled == 1)  # silence

            arm.live(0.5)
            assert arm.wait(lambda: arm.cancelled == 2)  # and once more after it was back
        finally:
            arm.close()
