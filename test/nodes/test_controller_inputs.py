from __future__ import annotations

import time

import pytest

rclpy = pytest.importorskip('rclpy')

from std_msgs.msg import Bool  # noqa: E402

from magma_ros.motion.supervision import ESTOP_PRESS_S  # noqa: E402
from magma_ros.nodes.controller_inputs import ControllerInputs  # noqa: E402
from magma_ros.nodes.controller_parameters import ControllerParameters  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402


@pytest.fixture
def inputs(domain_id):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('controller_node', context=context)
    yield ControllerInputs(node, load_arm_profile('wx250s'), ControllerParameters())
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_a_press_counts_though_another_button_says_ok_at_once(inputs) -> None:
    inputs._on_estop(Bool(data=True))
    assert not inputs.read(time.monotonic(), 0).is_estop_pressed

    inputs._on_estop(Bool(data=False))
    inputs._on_estop(Bool(data=True))

    now_s = time.monotonic()
    assert inputs.read(now_s, 0).is_estop_pressed
    assert not inputs.read(now_s + ESTOP_PRESS_S + 0.01, 0).is_estop_pressed
