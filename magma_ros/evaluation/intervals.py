"""Success rates with exact intervals."""

from __future__ import annotations

from scipy.stats import binomtest


def exact_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a success rate; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    interval = binomtest(successes, trials).proportion_ci(confidence, method='exact')
    return float(interval.low), float(interval.high)
