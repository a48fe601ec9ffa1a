"""How long success took, with trials that never came to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CompletionCurve:
    """Kaplan-Meier estimate of the share of trials that are not done yet.

    Attributes:
        times_s: (k,) when trials were done or censored, ascending.
        not_done: (k,) share from that time on; 1 before the first.
        horizon_s: nothing is known beyond.
    """

    times_s: Floats
    not_done: Floats
    horizon_s: float

    def median_s(self) -> float:
        """When half of the trials are done; nan where they never are."""
        reached = np.flatnonzero(self.not_done <= 0.5 + 1e-12)
        return float(self.times_s[reached[0]]) if len(reached) else math.nan

    def restricted_mean_s(self) -> float:
        """Mean time until done or the horizon, whichever comes first: the area below the curve."""
        inside = self.times_s < self.horizon_s
        edges = np.concatenate(([0.0], self.times_s[inside], [self.horizon_s]))
        heights = np.concatenate(([1.0], self.not_done[inside]))
        return float(np.sum(np.diff(edges) * heights))


def kaplan_meier(
    times_s: Sequence[float], is_done: Sequence[bool], horizon_s: float
) -> CompletionCurve:
    """The curve of trials that were done, or given up (censored), at these times.

    Raises:
        ValueError: there are no trials.
    """
    times, done = np.asarray(times_s, dtype=float), np.asarray(is_done, dtype=bool)
    if not len(times):
        raise ValueError('a completion curve needs at least one trial')
    survival = ecdf(CensoredData.right_censored(times, ~done)).sf
    return CompletionCurve(survival.quantiles, survival.probabilities, horizon_s)


def completion_curve(
    durations_s: Sequence[float], successes: Sequence[bool], horizon_s: float
) -> CompletionCurve:
    """The curve of whole trials: one that failed is not done up to the horizon, however it ended.

    To censor a failure when it ended would say that it was as likely as the others to succeed
    later, which is wrong for a trial that dropped the object or was stopped.
    """
    times = np.where(successes, np.minimum(durations_s, horizon_s), horizon_s)
    return kaplan_meier(times.tolist(), successes, horizon_s)
