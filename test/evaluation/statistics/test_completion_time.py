from __future__ import annotations

import math

import pytest

from magma_ros.evaluation.statistics.completion_time import completion_curve, kaplan_meier

# Remission in weeks, 6-MP arm of Freireich et al. (1963), as in every textbook.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_textbook_curve() -> None:
    curve = kaplan_meier(list(map(float, WEEKS)), list(map(bool, RELAPSED)), 35.0)

    at = dict(zip(curve.times_s.tolist(), curve.not_done.tolist(), strict=True))
    expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {week: round(at[week], 3) for week in expected} == expected
    assert curve.median_s() == 23.0
    assert curve.restricted_mean_s() == pytest.approx(23.287, abs=1e-3)


def test_without_failures_the_mean_is_the_mean() -> None:
    curve = completion_curve([2.0, 4.0, 9.0], [True, True, True], horizon_s=10.0)

    assert curve.restricted_mean_s() == pytest.approx(5.0)
    assert curve.median_s() == 4.0


def test_a_failure_counts_up_to_the_horizon_however_early_it_came() -> None:
    early = completion_curve([2.0, 0.5], [True, False], horizon_s=10.0)
    late = completion_curve([2.0, 10.0], [True, False], horizon_s=10.0)

    assert early.restricted_mean_s() == late.restricted_mean_s() == pytest.approx(6.0)


def test_fewer_than_half_have_no_median() -> None:
    curve = completion_curve([2.0, 3.0, 3.0], [True, False, False], horizon_s=10.0)

    assert math.isnan(curve.median_s())
    assert curve.restricted_mean_s() == pytest.approx(22.0 / 3)


def test_no_trials_have_no_curve() -> None:
    with pytest.raises(ValueError, match='at least one'):
        kaplan_meier([], [], 10.0)
