"""Intervals of a success rate."""

from __future__ import annotations

from typing import Literal

from scipy.stats import binomtest


def exact_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval: holds the true rate at least this often; (0, 1) without trials."""
    return _interval(successes, trials, confidence, 'exact')


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval: holds it this often on average; (0, 1) without trials."""
    return _interval(successes, trials, confidence, 'wilson')


def _interval(
    successes: int, trials: int, confidence: float, method: Literal['exact', 'wilson']
) -> tuple[float, float]:
    if trials == 0:
        return 0.0, 1.0
    interval = binomtest(successes, trials).proportion_ci(confidence, method)
    return float(interval.low), float(interval.high)
