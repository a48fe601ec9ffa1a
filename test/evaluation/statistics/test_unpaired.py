from __future__ import annotations

import pytest

from magma_ros.evaluation.statistics.unpaired import barnard, difference_interval


@pytest.mark.parametrize(
    ('first', 'second', 'low', 'high'),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_published_intervals(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    assert difference_interval(first, second) == pytest.approx((low, high), abs=5e-5)


def test_published_barnard_p() -> None:
    # Mehta and Senchaudhuri, Conditional versus unconditional exact tests for comparing two
    # binomials (2003): 7 of 15 against 12 of 15, pooled Wald statistic, both sides doubled.
    assert barnard((7, 15), (12, 15)) == pytest.approx(2 * 0.034, abs=1e-3)


@pytest.mark.parametrize('counts', [((0, 0), (3, 5)), ((0, 4), (0, 6)), ((4, 4), (6, 6))])
def test_what_cannot_be_compared_is_no_finding(
    counts: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    assert barnard(*counts) == 1.0


def test_no_trials_say_nothing() -> None:
    assert difference_interval((0, 0), (3, 5)) == (-1.0, 1.0)
