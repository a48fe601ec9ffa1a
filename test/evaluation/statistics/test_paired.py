from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.evaluation.statistics.paired import (
    PairCounts,
    count_pairs,
    mcnemar_exact,
    mcnemar_mid_p,
    paired_difference_interval,
)

COUNTS = st.builds(PairCounts, *(4 * [st.integers(0, 30)]))


def mirrored(counts: PairCounts) -> PairCounts:
    return PairCounts(counts.both, counts.second_only, counts.first_only, counts.neither)


@pytest.mark.parametrize(
    ('counts', 'low', 'high'),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 2635-2650, table II, method 10.
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((0, 12, 2, 36), 0.0569, 0.3404),
        ((53, 1, 0, 0), -0.0496, 0.0977),
    ],
)
def test_published_intervals(counts: tuple[int, ...], low: float, high: float) -> None:
    assert paired_difference_interval(PairCounts(*counts)) == pytest.approx((low, high), abs=5e-5)


@settings(deadline=None, max_examples=50)
@given(COUNTS)
def test_the_interval_holds_the_difference_and_does_not_care_which_is_first(
    counts: PairCounts,
) -> None:
    low, high = paired_difference_interval(counts)

    assert -1.0 - 1e-12 <= low <= counts.difference + 1e-12
    assert counts.difference - 1e-12 <= high <= 1.0 + 1e-12
    other_low, other_high = paired_difference_interval(mirrored(counts))
    assert (-other_high, -other_low) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(
    ('first_only', 'second_only', 'exact', 'mid_p'),
    [
        (7, 0, 0.015625, 0.0078125),
        (8, 1, 0.0390625, 0.021484375),
        (12, 3, 0.03515625, 0.021270751953125),
        (5, 5, 1.0, 1.0),
        (0, 0, 1.0, 1.0),
    ],
)
def test_mcnemar(first_only: int, second_only: int, exact: float, mid_p: float) -> None:
    counts = PairCounts(3, first_only, second_only, 4)

    assert mcnemar_exact(counts) == pytest.approx(exact, abs=1e-12)
    assert mcnemar_mid_p(counts) == pytest.approx(mid_p, abs=1e-12)


def test_pairs_are_counted_by_outcome() -> None:
    outcomes = [(True, True), (True, False), (True, False), (False, True), (False, False)]

    assert count_pairs(outcomes) == PairCounts(1, 2, 1, 1)
    assert count_pairs(outcomes).difference == pytest.approx(0.2)


def test_no_pairs_say_nothing() -> None:
    assert paired_difference_interval(count_pairs([])) == (-1.0, 1.0)
