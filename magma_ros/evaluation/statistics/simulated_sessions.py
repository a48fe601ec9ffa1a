"""Sessions that never happened: to plan one, and to check that tests err as rarely as they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

Bools = NDArray[np.bool_]
Evidence = Callable[[Bools, Bools], NDArray[np.float64]]  # as in sequential.py

# Difficulty of initial conditions: a normal shift of the log-odds of both conditions of a pair.
# 0: pairing explains nothing; 2: some layouts nearly always work, others hardly ever.
DIFFICULTY_SD = 2.0
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(100)


@dataclass(frozen=True)
class PairModel:
    """Two conditions with these success rates, on initial conditions as hard as each other."""

    first: float
    second: float
    difficulty_sd: float = DIFFICULTY_SD

    def cells(self) -> tuple[float, float, float, float]:
        """Chances of a pair: both, first only, second only, neither."""
        weights = WEIGHTS / WEIGHTS.sum()
        one, other = (
            expit(self._log_odds(rate) + self.difficulty_sd * NODES)
            for rate in (self.first, self.second)
        )
        both = float(weights @ (one * other))
        return both, self.first - both, self.second - both, 1 - self.first - self.second + both

    def draw(self, sessions: int, pairs: int, seed: int) -> tuple[Bools, Bools]:
        """Outcomes (sessions, pairs) of the first and of the second."""
        random = np.random.default_rng(seed)
        shift = self.difficulty_sd * random.standard_normal((sessions, pairs))
        one, other = (
            random.random((sessions, pairs)) < expit(self._log_odds(rate) + shift)
            for rate in (self.first, self.second)
        )
        return one, other

    def _log_odds(self, rate: float) -> float:
        """Of an initial condition of middle difficulty, so that the mean rate is this."""
        weights = WEIGHTS / WEIGHTS.sum()
        reach = 20.0 + 20.0 * self.difficulty_sd
        return float(
            brentq(lambda a: weights @ expit(a + self.difficulty_sd * NODES) - rate, -reach, reach)
        )


def continue_sessions(
    first: Bools, second: Bools, evidence: Evidence, more: int, sessions: int, seed: int
) -> NDArray[np.float64]:
    """Log evidence (sessions, more) of a session that goes on as it began.

    The trials to come are drawn from those there were, with repetition, pairs as pairs.

    Args:
        first: (n,) outcomes so far.
        second: (n,) of the other condition.
        evidence: ``paired_evidence`` or ``unpaired_evidence``.
        more: pairs (or blocks) to come.
        sessions: how many times to go on.
        seed: of the draws.
    """
    at = np.random.default_rng(seed).integers(len(first), size=(sessions, more))
    so_far = [np.broadcast_to(past, (sessions, len(past))) for past in (first, second)]
    whole = evidence(
        np.concatenate((so_far[0], first[at]), axis=1),
        np.concatenate((so_far[1], second[at]), axis=1),
    )
    return whole[:, len(first) :]
