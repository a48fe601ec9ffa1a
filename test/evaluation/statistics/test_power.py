from __future__ import annotations

import numpy as np
import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.statistics.paired import PairCounts, mcnemar_exact
from magma_ros.evaluation.statistics.power import (
    paired_power,
    pairs_needed,
    plan_sequential,
    plan_session,
    trials_needed,
    unpaired_power,
)
from magma_ros.evaluation.statistics.simulated_sessions import PairModel
from magma_ros.evaluation.statistics.unpaired import barnard


@pytest.mark.parametrize(
    ('first', 'second', 'z_test'),
    # Enumerated for the pooled z-test, which errs a little more often than it says.
    [(0.25, 0.675, 21), (0.5, 0.8, 39), (0.7, 0.9, 59), (0.5, 0.7, 94), (0.7, 0.85, 119)],
)
def test_unpaired_plans_need_a_little_more_than_the_z_test(
    first: float, second: float, z_test: int
) -> None:
    plan = trials_needed(first, second)

    assert z_test <= plan.trials <= z_test + 3
    assert plan.power >= 0.8
    assert plan.trials == trials_needed(second, first).trials


@pytest.mark.parametrize(
    ('difficulty_sd', 'pairs', 'power'), [(0.0, 120, 0.80), (2.0, 100, 0.87), (4.0, 60, 0.84)]
)
def test_mid_p_power_as_simulated_elsewhere(
    difficulty_sd: float, pairs: int, power: float
) -> None:
    model = PairModel(0.7, 0.85, difficulty_sd)

    assert paired_power(model, pairs, test='mid-p') == pytest.approx(power, abs=0.02)


def test_paired_power_is_the_share_of_simulated_sessions_that_find_it() -> None:
    model, pairs = PairModel(0.5, 0.8), 30
    first, second = model.draw(sessions=4000, pairs=pairs, seed=0)
    rejects = {
        (b, c): mcnemar_exact(PairCounts(0, b, c, 0)) <= 0.05
        for b in range(pairs + 1)
        for c in range(pairs + 1 - b)
    }
    sides = zip((first & ~second).sum(1), (second & ~first).sum(1), strict=True)
    found = [rejects[side] for side in sides]

    assert paired_power(model, pairs) == pytest.approx(np.mean(found), abs=0.02)


def test_unpaired_power_counts_what_barnards_test_rejects() -> None:
    n, first, second = 6, 0.3, 0.8
    chances = [
        [_binomial(n, x, first) * _binomial(n, y, second) for y in range(n + 1)]
        for x in range(n + 1)
    ]
    rejected = [[barnard((x, n), (y, n)) <= 0.05 for y in range(n + 1)] for x in range(n + 1)]

    assert unpaired_power(first, second, n) == pytest.approx(np.sum(chances, where=rejected))


@pytest.mark.parametrize('rate', [0.02, 0.3, 0.5, 0.77])
def test_without_a_difference_tests_err_as_rarely_as_they_say(rate: float) -> None:
    assert unpaired_power(rate, rate, 35) <= 0.0501
    assert paired_power(PairModel(rate, rate), 60) <= 0.05


def test_a_plan_is_the_smallest_that_is_enough() -> None:
    model = PairModel(0.5, 0.8)
    plan = pairs_needed(model)

    assert paired_power(model, plan.trials) == plan.power >= 0.8
    assert min(paired_power(model, plan.trials - 1 + more) for more in range(5)) < 0.8


def test_sequential_sessions_end_earlier_than_the_fixed_number_on_average() -> None:
    plan = plan_sequential(PairModel(0.5, 0.8), limit=200)

    assert plan.mean_pairs == pytest.approx(32, abs=1.5)
    assert plan.decided > 0.99
    assert plan == plan_sequential(PairModel(0.5, 0.8), limit=200)


def test_all_plans_together() -> None:
    plan = plan_session(0.7, 0.85)

    assert plan['unpaired']['trials'] == 121
    assert plan['paired']['trials'] < plan['unpaired']['trials']


@pytest.mark.parametrize(('first', 'second'), [(0.7, 0.7), (0.0, 0.5), (0.5, 1.0), (0.5, 70.0)])
def test_senseless_rates_are_refused(first: float, second: float) -> None:
    with pytest.raises(ConfigurationError, match='two different success rates'):
        trials_needed(first, second)


def test_a_difference_too_small_to_see_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='not enough'):
        pairs_needed(PairModel(0.5, 0.51))


def _binomial(n: int, k: int, rate: float) -> float:
    from math import comb

    return comb(n, k) * rate**k * (1 - rate) ** (n - k)
