from __future__ import annotations

import numpy as np
import pytest

from magma_ros.evaluation.sessions.conditions import SimulatedOperator
from magma_ros.evaluation.sessions.simulated_driver import SimulatedDriver
from magma_ros.sim.tasks import Task

STEADY = SimulatedOperator(delay_s=0.3, noise_m=0.0, skill=1.0)
TASK = Task('reach', 'red cube')
OUTCOME = {
    'target': 'red cube',
    'target_m': '0.3 0.1 0.016',
    'destination': '',
    'destination_m': '',
    'tool_m': '0.25 0.0 0.15',
    'tool_rpy_rad': '0.0 0.0 0.0',
    'finger_gap_m': '0.06',
}


def drive(operator: SimulatedOperator, modes: list[str], period_s: float = 0.02) -> list:
    """(time, twist, opening) of everything that was sent."""
    sent, now_s = [], 0.0
    driver = SimulatedDriver(lambda twist, opening: sent.append((now_s, twist, opening)))
    driver.begin(operator, TASK, 1)
    for mode in modes:
        driver.tick(mode, OUTCOME, now_s)
        now_s += period_s
    return sent


def test_the_switch_is_held_at_once_and_the_hand_moves_after_the_delay() -> None:
    sent = drive(STEADY, ['policy'] * 40)

    times_s = np.array([one[0] for one in sent])
    speeds = np.array([np.linalg.norm(one[1].linear_m_s) for one in sent])
    assert times_s[0] == 0.0
    assert np.diff(times_s).max() < 0.1  # half of what teleop_node takes for a release
    is_moving = speeds > 0.01
    assert times_s[is_moving].min() == pytest.approx(0.3, abs=0.05)
    assert times_s[is_moving].max() == pytest.approx(0.5, abs=0.05)  # then it looks again
    assert speeds.max() < 0.15  # config/teleop/twist.yaml refuses more


def test_the_hand_moves_towards_the_cube() -> None:
    _, twist, opening = drive(STEADY, ['policy'] * 20)[-1]

    assert twist.linear_m_s[1] > 0
    assert opening == 1.0


@pytest.mark.parametrize('mode', ['ready', 'disarmed', 'stop', 'arming', ''])
def test_without_rights_nobody_drives(mode: str) -> None:
    assert drive(STEADY, [mode] * 20) == []


def test_who_has_driven_presses_again_after_a_release() -> None:
    sent = drive(STEADY, ['teleop'] * 10 + ['ready'] * 10)

    assert sent[-1][0] > 0.3


def test_an_absent_mind_holds_still() -> None:
    sent = drive(SimulatedOperator(0.0, 0.0, skill=0.0), ['policy'] * 50)

    assert len(sent) > 10
    assert all((one[1].linear_m_s == 0).all() for one in sent)


def test_after_the_end_the_switch_is_free() -> None:
    sent: list = []
    driver = SimulatedDriver(lambda *args: sent.append(args))
    driver.tick('policy', OUTCOME, 0.0)
    driver.begin(STEADY, TASK, 1)
    driver.end()
    driver.tick('policy', OUTCOME, 0.1)

    assert sent == []
