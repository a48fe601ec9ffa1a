from __future__ import annotations

import pytest

from magma_ros.evaluation.statistics.proportions import exact_interval


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
