"""Two conditions on the same initial conditions: what the pairs of trials say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import binom, binomtest

from magma_ros.evaluation.statistics.proportions import wilson_interval


@dataclass(frozen=True)
class PairCounts:
    """How many pairs of trials ended in which way."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def pairs(self) -> int:
        """All of them."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def difference(self) -> float:
        """Success rate of the first minus that of the second; 0 without pairs."""
        return (self.first_only - self.second_only) / max(1, self.pairs)


def count_pairs(outcomes: Iterable[tuple[bool, bool]]) -> PairCounts:
    """Count pairs of (first succeeded, second succeeded)."""
    seen = list(outcomes)
    return PairCounts(
        both=seen.count((True, True)),
        first_only=seen.count((True, False)),
        second_only=seen.count((False, True)),
        neither=seen.count((False, False)),
    )


def mcnemar_exact(counts: PairCounts) -> float:
    """Two-sided p of the exact McNemar test; 1 when no pair differs.

    Valid only when the number of pairs was fixed beforehand.
    """
    discordant = counts.first_only + counts.second_only
    return float(binomtest(counts.first_only, discordant).pvalue) if discordant else 1.0


def mcnemar_mid_p(counts: PairCounts) -> float:
    """Mid-p of the same test: less conservative, no longer a guarantee (Fagerland 2013)."""
    discordant = counts.first_only + counts.second_only
    most = max(counts.first_only, counts.second_only)
    tail = binom.sf(most, discordant, 0.5) + 0.5 * binom.pmf(most, discordant, 0.5)
    return min(1.0, 2.0 * float(tail))


def paired_difference_interval(
    counts: PairCounts, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the difference of success rates: Newcombe's method 10; (-1, 1) without pairs.

    Newcombe, Improved confidence intervals for the difference between binomial proportions based
    on paired data, Statistics in Medicine 17 (1998), 2635-2650.
    """
    a, b, c, d = counts.both, counts.first_only, counts.second_only, counts.neither
    n = counts.pairs
    if n == 0:
        return -1.0, 1.0
    first, second = (a + b) / n, (a + c) / n
    first_low, first_high = wilson_interval(a + b, n, confidence)
    second_low, second_high = wilson_interval(a + c, n, confidence)
    phi = _corrected_phi(a, b, c, d)
    below = _root(first - first_low, second_high - second, phi)
    above = _root(first_high - first, second - second_low, phi)
    return first - second - below, first - second + above


def _corrected_phi(a: int, b: int, c: int, d: int) -> float:
    """Correlation within pairs; a positive one is corrected for continuity."""
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    product = float(a * d - b * c)
    if product > 0:
        product = max(product - (a + b + c + d) / 2, 0.0)
    return product / math.sqrt(margins) if margins else 0.0


def _root(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))
