"""Two conditions on initial conditions of their own."""

from __future__ import annotations

import math

from scipy.stats import barnard_exact

from magma_ros.evaluation.statistics.proportions import wilson_interval


def difference_interval(
    first: tuple[int, int], second: tuple[int, int], confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the difference of two success rates, each (successes, trials).

    Newcombe's hybrid score interval (method 10 of Newcombe, Interval estimation for the difference
    between independent proportions, Statistics in Medicine 17 (1998), 873-890). (-1, 1) when one
    of them has no trials.
    """
    if not (first[1] and second[1]):
        return -1.0, 1.0
    p, q = first[0] / first[1], second[0] / second[1]
    first_low, first_high = wilson_interval(*first, confidence)
    second_low, second_high = wilson_interval(*second, confidence)
    below = math.hypot(p - first_low, second_high - q)
    above = math.hypot(first_high - p, q - second_low)
    return p - q - below, p - q + above


def barnard(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Two-sided p of Barnard's exact test (pooled Wald statistic); each (successes, trials).

    Valid only when the numbers of trials were fixed beforehand. 1 without trials.
    """
    if not (first[1] and second[1]):
        return 1.0
    successes = (first[0], second[0])
    failures = (first[1] - first[0], second[1] - second[0])
    if not (any(successes) and any(failures)):
        return 1.0
    return float(barnard_exact([successes, failures], pooled=True).pvalue)
