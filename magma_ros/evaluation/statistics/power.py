"""How many trials a comparison needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.statistics.sequential import ALPHA, paired_evidence, stopping_times
from magma_ros.evaluation.statistics.simulated_sessions import DIFFICULTY_SD, PairModel

Floats = NDArray[np.float64]
Test = Literal['exact', 'mid-p']

POWER = 0.8
MOST_TRIALS = 3000  # of each condition
LASTING = 5  # power goes up in a zigzag: so many numbers in a row must reach it
NUISANCE = np.sin(np.linspace(0.01, 0.25, 128) * np.pi) ** 2  # rates from 0 to 1/2, dense at 0


@dataclass(frozen=True)
class FixedPlan:
    """A number of trials of each condition that is fixed beforehand."""

    test: str
    trials: int
    power: float


@dataclass(frozen=True)
class SequentialPlan:
    """What a session looks like that stops as soon as the evidence is there (simulated)."""

    mean_pairs: float
    median_pairs: float
    pairs_for_most: float  # 90 % of those that decide need no more
    decided: float  # share of sessions that decide within the limit
    limit: int
    sessions: int
    seed: int


def paired_power(
    model: PairModel, pairs: int, alpha: float = ALPHA, test: Test = 'exact'
) -> float:
    """Chance that McNemar's test finds the difference, both sides counted; exact."""
    _, first_only, second_only, _ = model.cells()
    share = first_only + second_only
    if share <= 0.0:
        return 0.0
    m = np.arange(pairs + 1)
    allowed = _allowed_in_tail(pairs, alpha, test)
    chance = first_only / share
    found = binom.cdf(allowed, m, chance) + binom.sf(m - allowed - 1, m, chance)
    return float(binom.pmf(m, pairs, share) @ np.where(allowed >= 0, found, 0.0))


def pairs_needed(
    model: PairModel, power: float = POWER, alpha: float = ALPHA, test: Test = 'exact'
) -> FixedPlan:
    """Pairs at which McNemar's test finds the difference with this chance.

    Raises:
        ConfigurationError: the rates are equal, or no number up to MOST_TRIALS is enough.
    """
    _check(model.first, model.second)
    pairs = _smallest(lambda n: paired_power(model, n, alpha, test), power)
    return FixedPlan(f'McNemar, {test}', pairs, paired_power(model, pairs, alpha, test))


def unpaired_power(first: float, second: float, trials: int, alpha: float = ALPHA) -> float:
    """Chance that Barnard's test finds the difference with so many trials of each; exact."""
    low, high = _barnard_region(trials, alpha)
    x = np.arange(trials + 1)
    found = binom.cdf(low, trials, second) + binom.sf(high - 1, trials, second)
    return float(binom.pmf(x, trials, first) @ found)


def trials_needed(
    first: float, second: float, power: float = POWER, alpha: float = ALPHA
) -> FixedPlan:
    """Trials of each condition at which Barnard's test finds the difference with this chance.

    Raises:
        ConfigurationError: the rates are equal, or no number up to MOST_TRIALS is enough.
    """
    _check(first, second)
    trials = _smallest(lambda n: unpaired_power(first, second, n, alpha), power)
    return FixedPlan('Barnard', trials, unpaired_power(first, second, trials, alpha))


def plan_sequential(
    model: PairModel, limit: int, sessions: int = 2000, seed: int = 0, alpha: float = ALPHA
) -> SequentialPlan:
    """Simulate sessions that stop at the evidence, or at ``limit`` pairs."""
    stops = stopping_times(paired_evidence(*model.draw(sessions, limit, seed)), alpha)
    ran = np.where(stops > 0, stops, limit)
    decided = stops[stops > 0]
    most = float(np.percentile(decided, 90)) if len(decided) else float('nan')
    share = len(decided) / sessions
    return SequentialPlan(
        float(ran.mean()), float(np.median(ran)), most, share, limit, sessions, seed
    )


def plan_session(
    first: float,
    second: float,
    power: float = POWER,
    alpha: float = ALPHA,
    difficulty_sd: float = DIFFICULTY_SD,
    seed: int = 0,
) -> dict[str, Any]:
    """All plans for two success rates, as plain data.

    Raises:
        ConfigurationError: a number makes no sense, or no number of trials is enough.
    """
    if not (0.0 < power < 1.0 and 0.0 < alpha < 1.0 and 0.0 <= difficulty_sd <= 10.0):
        raise ConfigurationError(
            f'power {power:g}, alpha {alpha:g}, difficulty {difficulty_sd:g}: give power and '
            'alpha between 0 and 1, and a difficulty from 0 to 10'
        )
    model = PairModel(first, second, difficulty_sd)
    paired = pairs_needed(model, power, alpha)
    return {
        'from': first,
        'to': second,
        'power': power,
        'alpha': alpha,
        'difficulty_sd': difficulty_sd,
        'paired': asdict(paired),
        'unpaired': asdict(trials_needed(first, second, power, alpha)),
        'sequential': asdict(plan_sequential(model, 3 * paired.trials, seed=seed, alpha=alpha)),
    }


def _check(first: float, second: float) -> None:
    if not (0.0 < first < 1.0 and 0.0 < second < 1.0 and first != second):
        raise ConfigurationError(
            f'from {first:g} to {second:g}: give two different success rates between 0 and 1'
        )


def _smallest(power_of: Callable[[int], float], goal: float) -> int:
    """The smallest number of trials from which on the goal is reached."""
    known = cache(power_of)

    def is_enough(n: int) -> bool:
        return all(known(n + i) >= goal for i in range(LASTING))

    low, high = 1, 8
    while not is_enough(high):
        low, high = high, 2 * high
        if high > MOST_TRIALS:
            raise ConfigurationError(
                f'{MOST_TRIALS} trials of each condition are not enough: plan for a larger '
                'difference or a smaller power'
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _allowed_in_tail(pairs: int, alpha: float, test: Test) -> NDArray[np.int64]:
    """For each number of pairs that differ: the largest count of a side that rejects, or -1."""
    m = np.arange(pairs + 1)
    least = binom.ppf(alpha / 2, m, 0.5)
    tail = binom.cdf(least, m, 0.5)
    if test == 'mid-p':
        tail = tail - 0.5 * binom.pmf(least, m, 0.5)
    return np.where(tail <= alpha / 2, least, least - 1).astype(np.int64)


def _barnard_region(trials: int, alpha: float) -> tuple[Floats, Floats]:
    """For each count of the first: the second rejects up to ``low`` and from ``high`` on.

    The region is that of the pooled Wald statistic, as large as the test's size allows.
    """
    x = np.arange(trials + 1)
    sums = x[:, None] + x[None, :]
    spread = sums * (2 * trials - sums)
    squared = 2 * trials * (x[:, None] - x[None, :]) ** 2 / np.maximum(spread, 1)
    chance = binom.pmf(x[:, None], trials, NUISANCE)
    below = binom.cdf(x[:, None], trials, NUISANCE)
    below = np.vstack((np.zeros_like(NUISANCE), below))  # row k: fewer than k

    def region(threshold: float) -> tuple[Floats, Floats]:
        rejects = squared >= threshold - 1e-9
        low = np.where(x[None, :] < x[:, None], rejects, False).sum(axis=1) - 1
        high = trials + 1 - np.where(x[None, :] > x[:, None], rejects, False).sum(axis=1)
        return low, high

    small, large = 0.0, 2.0 * trials
    for _ in range(40):
        middle = (small + large) / 2
        low, high = region(middle)
        size = float(np.max(np.sum(chance * (below[low + 1] + 1.0 - below[high]), axis=0)))
        small, large = (small, middle) if size <= alpha else (middle, large)
    return region(large)
