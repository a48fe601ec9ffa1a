from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.benchmarks.session_statistics import false_alarm_bound
from magma_ros.evaluation.statistics.sequential import (
    anytime_p,
    discordant_evidence,
    paired_evidence,
    stopping_times,
    unpaired_evidence,
)
from magma_ros.evaluation.statistics.simulated_sessions import PairModel

OUTCOMES = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ('first_only', 'second_only', 'evidence'),
    [
        (0, 0, 1.0),
        (5, 0, 7.875),
        (6, 0, 14.4375),
        (7, 0, 26.8125),
        (8, 1, 5.5859375),
        (10, 2, 4.1005859375),
        (12, 3, 3.62744140625),
        (5, 5, 0.24609375),
    ],
)
def test_known_evidence(first_only: int, second_only: int, evidence: float) -> None:
    found = np.exp(discordant_evidence(first_only, second_only))

    assert found == pytest.approx(evidence, abs=1e-10)


@pytest.mark.parametrize('evidence', [paired_evidence, unpaired_evidence])
def test_ten_thousand_sessions_without_a_difference_stop_as_rarely_as_promised(evidence) -> None:
    # Difficulty of initial conditions only where pairs share them.
    difficulty_sd = 2.0 if evidence is paired_evidence else 0.0

    assert false_alarm_bound(evidence, 0.7, difficulty_sd) <= 0.05


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60))
def test_nobody_can_expect_to_win_from_a_discordant_pair(b: int, c: int) -> None:
    after = [np.exp(discordant_evidence(b + 1, c)), np.exp(discordant_evidence(b, c + 1))]

    assert np.mean(after) == pytest.approx(np.exp(discordant_evidence(b, c)), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(OUTCOMES, st.floats(0.01, 0.99))
def test_nobody_can_expect_to_win_from_a_block(past: list[tuple[bool, bool]], rate: float) -> None:
    before = float(np.exp(_unpaired(past)))
    expected = sum(
        (rate if one else 1 - rate) * (rate if other else 1 - rate)
        * float(np.exp(_unpaired([*past, (one, other)])))
        for one in (False, True)
        for other in (False, True)
    )  # fmt: skip

    assert expected <= before * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(OUTCOMES)
def test_evidence_does_not_care_which_condition_is_first(past: list[tuple[bool, bool]]) -> None:
    first, second = np.array(past).T

    for evidence in (paired_evidence, unpaired_evidence):
        assert evidence(first, second) == pytest.approx(evidence(second, first), abs=1e-9)


def test_a_real_difference_is_found_and_sooner_than_a_fixed_number_would() -> None:
    first, second = PairModel(0.675, 0.25).draw(sessions=1000, pairs=100, seed=0)

    stops = stopping_times(paired_evidence(first, second))

    assert np.mean(stops > 0) > 0.99
    assert np.mean(np.where(stops > 0, stops, 100)) == pytest.approx(19, abs=1.5)


def test_agreeing_pairs_change_nothing() -> None:
    evidence = paired_evidence([True, True, False, True], [True, False, False, True])

    assert evidence.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0], abs=1e-12)


def test_stopping_is_at_the_first_look_that_passes() -> None:
    log_evidence = np.log([[1.0, 19.9, 20.0, 3.0], [1.0, 2.0, 3.0, 4.0]])

    assert stopping_times(log_evidence).tolist() == [3, 0]
    assert anytime_p(log_evidence[0]) == pytest.approx(0.05)
    assert anytime_p(np.log([0.5, 0.1])) == 1.0


def _unpaired(outcomes: list[tuple[bool, bool]]) -> float:
    first, second = np.array(outcomes).T
    return float(unpaired_evidence(first, second)[-1])
