"""Evidence that may be looked at after every trial, and acted upon.

Evidence is the wealth of a gambler who bets against "there is no difference" and cannot expect to
win if that is true: a non-negative martingale (or supermartingale) that begins at 1. It passes
1 / alpha with a probability of at most alpha, whenever one looks (Ville's inequality); so a
session may stop as soon as it does, and go on as long as it does not. All evidence is given as a
natural logarithm.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln

Floats = NDArray[np.float64]

ALPHA = 0.05
# Of the rates in each group; the default of Turner and Gruenwald's R package safestats.
UNPAIRED_PRIOR = 0.18


def discordant_evidence(first_only: ArrayLike, second_only: ArrayLike) -> Floats:
    """Log evidence of pairs that differ, given how many went to either side.

    If there is no difference, each side of such a pair is as likely as the other, however hard
    its initial condition is. The bet is on all other chances at once, mixed by Beta(1/2, 1/2)
    (Robbins 1970): 2^(b + c) B(b + 1/2, c + 1/2) / B(1/2, 1/2).
    """
    b, c = np.asarray(first_only, dtype=float), np.asarray(second_only, dtype=float)
    return (b + c) * math.log(2) + betaln(b + 0.5, c + 0.5) - betaln(0.5, 0.5)


def paired_evidence(first: ArrayLike, second: ArrayLike) -> Floats:
    """Log evidence after each pair; outcomes (..., n) in the order in which pairs were completed.

    The null hypothesis: on every initial condition both succeed equally likely.
    """
    one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    return discordant_evidence(np.cumsum(one & ~other, axis=-1), np.cumsum(other & ~one, axis=-1))


def unpaired_evidence(first: ArrayLike, second: ArrayLike) -> Floats:
    """Log evidence after each block of one trial of either condition; outcomes (..., n).

    The null hypothesis: both succeed equally likely. Turner, Ly and Gruenwald, Generic E-variables
    for exact sequential k-sample tests that allow for optional stopping, Journal of Statistical
    Planning and Inference 230 (2024), section 2: the likelihood with rates learnt from the blocks
    before, over that with their mean for both.
    """
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    before = np.arange(one.shape[-1])
    rate, other_rate = (
        (np.cumsum(y, axis=-1) - y + UNPAIRED_PRIOR) / (before + 2 * UNPAIRED_PRIOR)
        for y in (one, other)
    )
    mean = (rate + other_rate) / 2
    gains = (
        _log_likelihood(one, rate)
        + _log_likelihood(other, other_rate)
        - _log_likelihood(one, mean)
        - _log_likelihood(other, mean)
    )
    return np.cumsum(gains, axis=-1)


def stopping_times(log_evidence: Floats, alpha: float = ALPHA) -> NDArray[np.int64]:
    """After how many looks (from 1) the evidence passes 1 / alpha; 0: it does not. (..., n)."""
    has_passed = log_evidence >= -math.log(alpha) - 1e-12
    return np.where(has_passed.any(axis=-1), has_passed.argmax(axis=-1) + 1, 0)


def anytime_p(log_evidence: Floats) -> float:
    """A p-value that stays valid whenever one stops: 1 / (largest evidence so far), at most 1."""
    return min(1.0, math.exp(-float(np.max(log_evidence, initial=0.0))))


def _log_likelihood(outcome: Floats, rate: Floats) -> Floats:
    return np.log(np.where(outcome > 0.5, rate, 1.0 - rate))
