from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from magma_ros.evaluation.statistics.paired import PairCounts
from magma_ros.evaluation.statistics.posterior import (
    UNIFORM,
    paired_posterior,
    unpaired_posterior,
)

TRIALS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ('first', 'second', 'better'),
    [
        ((27, 40), (10, 40), 0.9999331693),
        ((17, 20), (14, 20), 0.8614213736),
        ((7, 10), (5, 10), 0.8065015480),
    ],
)
def test_known_probabilities(
    first: tuple[int, int], second: tuple[int, int], better: float
) -> None:
    posterior = unpaired_posterior(first, second, UNIFORM)

    assert posterior.first_better == pytest.approx(better, abs=1e-9)


@settings(deadline=None, max_examples=8)
@given(TRIALS, TRIALS)
def test_exchanging_the_conditions_mirrors_everything(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    one, other = unpaired_posterior(first, second), unpaired_posterior(second, first)

    assert one.first_better + other.first_better == pytest.approx(1.0, abs=1e-9)
    low, high = one.credible_interval()
    assert other.credible_interval() == pytest.approx((-high, -low), abs=1e-7)
    assert one.cumulative(high) - one.cumulative(low) == pytest.approx(0.95, abs=1e-8)


def test_unpaired_interval_is_that_of_draws() -> None:
    random = np.random.default_rng(0)
    draws = beta(17.5, 3.5).rvs(400_000, random) - beta(14.5, 6.5).rvs(400_000, random)

    interval = unpaired_posterior((17, 20), (14, 20)).credible_interval()

    assert interval == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=4e-3)


def test_paired_interval_is_that_of_draws() -> None:
    random = np.random.default_rng(0)
    draws = random.dirichlet([10.5, 8.5, 2.5, 5.5], 400_000)
    differences = draws[:, 1] - draws[:, 2]

    posterior = paired_posterior(PairCounts(10, 8, 2, 5))

    assert posterior.first_better == pytest.approx(np.mean(differences > 0), abs=2e-3)
    expected = np.quantile(differences, [0.025, 0.975])
    assert posterior.credible_interval() == pytest.approx(expected, abs=4e-3)


def test_paired_cumulative_is_continuous_where_its_two_halves_meet() -> None:
    posterior = paired_posterior(PairCounts(4, 3, 2, 1))

    assert posterior.cumulative(-1e-9) == pytest.approx(posterior.cumulative(0.0), abs=1e-6)
    assert posterior.cumulative(0.0) == pytest.approx(1.0 - posterior.first_better, abs=1e-9)


def test_before_any_trial_everything_is_possible() -> None:
    posterior = unpaired_posterior((0, 0), (0, 0), UNIFORM)

    # The difference of two uniform rates has a triangular density.
    assert posterior.credible_interval() == pytest.approx((-0.7763932, 0.7763932), abs=1e-6)
