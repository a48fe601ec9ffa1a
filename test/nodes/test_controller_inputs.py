from __future__ import annotations

import time

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402

from magma_ros.motion.causes import Cause, Severity  # noqa: E402
from magma_ros.motion.reason_codes import Reason  # noqa: E402
from magma_ros.motion.supervision import ESTOP_PRESS_S  # noqa: E402
from magma_ros.nodes.controller_inputs import RECORDER_S, UNREAD_S, ControllerInputs  # noqa: E402
from magma_ros.nodes.controller_parameters import ControllerParameters  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros.status_messages import ERROR, status_message  # noqa: E402


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


def reported(inputs, now_s: float) -> set[Reason]:
    return {cause.reason for cause in inputs.read(now_s, 0).reported}


def test_what_was_not_understood_is_seen_by_whoever_reads(inputs) -> None:
    inputs._on_info(DiagnosticStatus())

    now_s = time.monotonic()
    assert Reason.UNKNOWN_INPUT in reported(inputs, now_s)
    assert Reason.UNKNOWN_INPUT in reported(inputs, now_s)
    assert Reason.UNKNOWN_INPUT not in reported(inputs, now_s + UNREAD_S + 0.01)


def test_threads_that_read_in_any_order_see_no_jump_of_the_clock(inputs) -> None:
    later_ns, earlier_ns = 2_000_000_000, 1_900_000_000
    inputs.note_clock(10.1, later_ns)
    inputs.read(10.0, earlier_ns)
    inputs.note_clock(10.12, later_ns + 20_000_000)

    assert inputs.read(10.13, later_ns).clock_jumped_s is None
    inputs.note_clock(10.14, earlier_ns)
    assert Reason.CLOCK_JUMP in reported(inputs, 10.15)


def test_another_model_than_was_armed_with_holds(inputs) -> None:
    def report(**values: str) -> None:
        inputs._newest.perception.put(status_message('perception', 'sees', values), 0.0)

    report(model_sha256='aa')
    assert Reason.MODEL_HASH not in reported(inputs, 1.0)
    inputs.armed_model = inputs.model_sha256
    assert Reason.MODEL_HASH not in reported(inputs, 1.0)
    report(model_sha256='bb')
    assert Cause(Reason.MODEL_HASH, Severity.HOLD) in inputs.read(1.0, 0).reported
    report()  # perception is loading; its silence is another cause
    assert Reason.MODEL_HASH not in reported(inputs, 1.0)


def test_a_recorder_without_room_holds_while_it_lives(inputs) -> None:
    assert Reason.DISK not in reported(inputs, 10.0)

    full = status_message('recorder', 'no room', {'reason': 'DISK'}, ERROR)
    inputs._newest.recorder.put(full, 10.0)

    assert Cause(Reason.DISK, Severity.HOLD) in inputs.read(11.0, 0).reported
    assert Reason.DISK not in reported(inputs, 10.0 + RECORDER_S + 0.01)
