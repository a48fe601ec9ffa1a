"""What is plausible about success rates after the trials: Bayesian posteriors.

Integrals are taken by Gauss-Legendre quadrature in the angle t of ``x = sin(t)^2``, in which the
densities of Beta distributions are smooth up to the ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta

from magma_ros.evaluation.statistics.paired import PairCounts

Floats = NDArray[np.float64]

JEFFREYS = 0.5  # Beta(1/2, 1/2)
UNIFORM = 1.0  # Beta(1, 1)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(512)


@dataclass(frozen=True)
class DifferencePosterior:
    """Posterior of the difference of two success rates, first minus second."""

    first_better: float  # probability
    cumulative: Callable[[float], float]

    def credible_interval(self, probability: float = 0.95) -> tuple[float, float]:
        """The one with equal tails."""
        tail = (1.0 - probability) / 2
        low, high = (
            brentq(lambda d, level=level: self.cumulative(d) - level, -1.0, 1.0, xtol=1e-10)
            for level in (tail, 1.0 - tail)
        )
        return float(low), float(high)


def unpaired_posterior(
    first: tuple[int, int], second: tuple[int, int], prior: float = JEFFREYS
) -> DifferencePosterior:
    """From (successes, trials) of each; independent Beta(prior, prior) beforehand."""
    one, other = (beta(k + prior, n - k + prior) for k, n in (first, second))

    def cumulative(difference: float) -> float:
        """P(one - other <= difference)."""
        low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
        if low >= high:
            return float(difference > 0)
        x, dx = _nodes(low, high)
        inside = float(np.sum(dx * other.pdf(x) * one.cdf(x + difference)))
        return inside + float(other.sf(high))

    return DifferencePosterior(1.0 - cumulative(0.0), cumulative)


def paired_posterior(counts: PairCounts, prior: float = JEFFREYS) -> DifferencePosterior:
    """From pairs; Dirichlet over their four outcomes, each with this prior.

    The difference is s (2 q - 1): s is the share of pairs that differ, q the chance that such a
    pair goes to the first, and the two are independent.
    """
    b, c = counts.first_only + prior, counts.second_only + prior
    share = beta(b + c, counts.both + counts.neither + 2 * prior)
    chance = beta(b, c)

    def cumulative(difference: float) -> float:
        if difference < 0:  # q < 1/2 then; where s is too small, the chance of that is 0
            x, dx = _nodes(-difference, 1.0)
            return float(np.sum(dx * share.pdf(x) * chance.cdf((1 + difference / x) / 2)))
        x, dx = _nodes(difference, 1.0)
        exceeding = np.sum(dx * share.pdf(x) * chance.sf((1 + difference / x) / 2))
        return 1.0 - float(exceeding)

    return DifferencePosterior(float(chance.sf(0.5)), cumulative)


def _nodes(low: float, high: float) -> tuple[Floats, Floats]:
    """Points between low and high, and what an integrand there is multiplied with."""
    angle = (NODES + 1.0) * np.pi / 4
    x = low + (high - low) * np.sin(angle) ** 2
    return x, WEIGHTS * (np.pi / 4) * (high - low) * np.sin(2 * angle)
