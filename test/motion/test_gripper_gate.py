"""A chattering model moves the gripper twice a second at most, and only when it means it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.motion.gripper_gate import GripperGate

PERIOD_S = 0.02


def openings(wishes: list[float], ticks_each: int, start: float = 1.0) -> list[float]:
    gate, passed = GripperGate(start), []
    for number, wish in enumerate(wishes):
        for _ in range(ticks_each):
            gate = gate.pass_on((number, 0), wish, PERIOD_S)
            passed.append(gate.opening)
    return passed


def test_two_steps_must_agree() -> None:
    assert openings([1.0, 0.0, 1.0, 0.0], 10) == [1.0] * 40
    assert openings([0.0, 0.2], 10) == [1.0] * 10 + [0.0] * 10


def test_one_step_that_lasts_is_one_step() -> None:
    assert openings([0.0], 500)[-1] == 1.0


def test_in_between_nothing_changes() -> None:
    assert openings([0.0, 0.0, 0.5, 0.69, 0.31, 0.0], 10)[20:] == [0.0] * 40
    assert openings([0.31, 0.31, 0.6], 10, start=0.45) == [0.45] * 30


def test_holding_keeps_what_was_sent_and_forgets_the_wish() -> None:
    gate = GripperGate(1.0).pass_on((1, 0), 0.0, PERIOD_S).stay(0.8, PERIOD_S)
    assert gate.opening == 0.8
    assert gate.pass_on((2, 0), 0.0, PERIOD_S).opening == 0.8


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-0.05, 1.05), min_size=5, max_size=80), st.integers(1, 10))
def test_never_more_than_two_changes_a_second(wishes: list[float], ticks_each: int) -> None:
    passed = np.array(openings(wishes, ticks_each))
    changes = np.flatnonzero(np.diff(passed)) * PERIOD_S
    assert (np.diff(changes) >= 0.5 - 1e-9).all()
    assert set(np.unique(passed)) <= {0.0, 1.0}


def test_a_decision_takes_two_steps_and_is_void_after_braking():
    gate = GripperGate(1.0)
    gate = gate.pass_on((1, 0), 1.0, 0.02)
    assert not gate.is_decided
    gate = gate.pass_on((1, 1), 1.0, 0.02)
    assert gate.is_decided, 'that it stays as it is was decided, too'
    assert not gate.stay(1.0, 0.02).is_decided
