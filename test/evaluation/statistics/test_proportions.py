from __future__ import annotations

import pytest
from scipy.stats import binom

from magma_ros.evaluation.statistics.proportions import exact_interval, wilson_interval


@pytest.mark.parametrize(
    ('successes', 'trials', 'low', 'high'),
    [
        # Clopper-Pearson, 95 %: the closed form 1 - 0.025 ** (1 / n), and a table of 8 in 10.
        (0, 10, 0.0, 0.3085),
        (10, 10, 0.6915, 1.0),
        (8, 10, 0.4439, 0.9748),
        (1, 2, 0.0126, 0.9874),
    ],
)
def test_known_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert exact_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_no_trials_say_nothing() -> None:
    assert exact_interval(0, 0) == (0.0, 1.0)


def test_more_confidence_is_a_wider_interval() -> None:
    narrow, wide = exact_interval(5, 10, 0.8), exact_interval(5, 10, 0.99)

    assert wide[0] < narrow[0] < 0.5 < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ('successes', 'trials', 'low', 'high'),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_wilson_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize('rate', [0.05, 0.3, 0.5, 0.9])
def test_exact_intervals_hold_the_rate_at_least_as_often_as_they_say(rate: float) -> None:
    trials = 25
    held = [low <= rate <= high for low, high in (exact_interval(k, trials) for k in range(26))]

    assert binom.pmf(range(26), trials, rate) @ held >= 0.95
