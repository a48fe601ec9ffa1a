"""What the controller says about the gripper, and that nothing is sent when nothing is wished."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy')

from magma_ros.nodes.controller_state import gripper_values  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros.gripper_client import GripperClient  # noqa: E402
from magma_ros.ros.gripper_port import GripperReport, Outcome  # noqa: E402


class Port:
    """A gripper that answers when it is told to."""

    is_ready = True

    def __init__(self) -> None:
        self.goals, self.answer = [], None

    def send(self, goal, answer) -> None:
        self.goals.append(goal)
        self.answer = answer


def test_the_gripper_in_the_state_is_the_goal_the_encoder_and_the_result() -> None:
    port, now_s = Port(), [100.0]
    client = GripperClient(None, load_arm_profile('wx250s'), lambda: now_s[0], port)  # type: ignore[arg-type]
    assert gripper_values(client, None) == {
        'gripper_commanded': '',
        'gripper_measured': '',
        'gripper_result': 'NONE',
        'gripper_text': '',
    }

    client.follow(None)
    assert not port.goals
    client.follow(0.0)
    assert gripper_values(client, None)['gripper_result'] == 'MOVING'
    port.answer(GripperReport(Outcome.GRASPED, 'fingers at 0.02 m'))

    said = gripper_values(client, None)
    assert said['gripper_commanded'] == 0.0
    assert (said['gripper_result'], said['gripper_text']) == ('GRASPED', 'fingers at 0.02 m')


def test_a_goal_without_answer_times_out_also_while_the_arm_holds() -> None:
    port, now_s = Port(), [100.0]
    client = GripperClient(None, load_arm_profile('wx250s'), lambda: now_s[0], port)  # type: ignore[arg-type]
    client.follow(1.0)
    now_s[0] += 60.0
    client.follow(None)

    assert client.report.outcome is Outcome.TIMED_OUT
    assert len(port.goals) == 1
