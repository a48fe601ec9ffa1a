"""Two conditions of a session compared: difference, tests, evidence, posterior."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from magma_ros.evaluation.report.pairing import Pairing, pair_trials
from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.statistics.multiple_comparisons import holm_adjusted
from magma_ros.evaluation.statistics.paired import (
    PairCounts,
    count_pairs,
    mcnemar_exact,
    mcnemar_mid_p,
    paired_difference_interval,
)
from magma_ros.evaluation.statistics.posterior import (
    DifferencePosterior,
    paired_posterior,
    unpaired_posterior,
)
from magma_ros.evaluation.statistics.sequential import (
    anytime_p,
    paired_evidence,
    stopping_times,
    unpaired_evidence,
)
from magma_ros.evaluation.statistics.simulated_sessions import continue_sessions
from magma_ros.evaluation.statistics.unpaired import barnard, difference_interval

MOST_FURTHER = 1000  # pairs that are looked ahead
FUTURES = 500
SEED = 0  # of the futures


@dataclass(frozen=True)
class Difference:
    """Success of two conditions in one task, or in all (task '')."""

    task: str
    first: tuple[int, int]  # successes, trials
    second: tuple[int, int]
    pairs: PairCounts | None  # None: not paired
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """What all trials say about two conditions."""

    first: str
    second: str
    overall: Difference
    by_task: tuple[Difference, ...]
    single: int  # trials without a partner; they count in the rates only
    fixed_test: str
    fixed_p: float
    mid_p: float | None
    log_evidence: NDArray[np.float64]  # after each pair, or each trial of either condition
    anytime_p: float
    posterior: DifferencePosterior
    decided_after: int  # pairs after which the evidence passed 1 / own_alpha; 0: it did not
    further: int | None  # pairs until half of the sessions that go on like this decide; None: many
    is_fixed: bool
    alpha: float
    own_alpha: float  # its part of alpha, with as many comparisons as there are
    adjusted_p: float = 1.0  # for all comparisons of the session, of the test that decides

    @property
    def is_paired(self) -> bool:
        """Whether trials had partners on the same initial condition."""
        return self.overall.pairs is not None

    @property
    def deciding_p(self) -> float:
        """Of the test that may decide this session."""
        return self.fixed_p if self.is_fixed else self.anytime_p

    @property
    def is_decided(self) -> bool:
        """Whether the session has found a difference."""
        return self.adjusted_p <= self.alpha and self.overall.difference != 0.0


def compare_all(session: ReportedSession) -> list[Comparison]:
    """Every two conditions that both have trials, p-values adjusted for their number.

    Holm's procedure; with a primary comparison, the others come after it (a gatekeeper) and are
    adjusted among themselves.
    """
    names = [name for name in session.names if session.counted_of(name)]
    pairs = list(combinations(names, 2))
    primary = [pair for pair in pairs if session.primary and {*pair} == {*session.primary}]
    rest = [pair for pair in pairs if pair not in primary]
    gate = [compare(session, *pair, session.alpha) for pair in primary]
    others = [compare(session, *pair, session.alpha / len(rest)) for pair in rest]
    least = gate[0].deciding_p if gate else 0.0
    adjusted = [max(least, p) for p in holm_adjusted([one.deciding_p for one in others])]
    return [
        *(replace(one, adjusted_p=one.deciding_p) for one in gate),
        *(replace(one, adjusted_p=p) for one, p in zip(others, adjusted, strict=True)),
    ]


def compare(session: ReportedSession, first: str, second: str, own_alpha: float) -> Comparison:
    """Two conditions, in pairs if there are any."""
    pairing = pair_trials(session, first, second)
    overall = _difference(session, pairing, first, second, None)
    if overall.pairs is not None:
        outcomes = np.array(pairing.outcomes(), dtype=bool)
        one, other, evidence = outcomes[:, 0], outcomes[:, 1], paired_evidence
        test, p = 'exact McNemar', mcnemar_exact(overall.pairs)
        mid_p: float | None = mcnemar_mid_p(overall.pairs)
        posterior = paired_posterior(overall.pairs)
    else:
        rows = [[t.success for t in session.counted_of(name)] for name in (first, second)]
        blocks = min(map(len, rows))
        one, other, evidence = *(np.array(row[:blocks]) for row in rows), unpaired_evidence
        test, p, mid_p = 'Barnard', barnard(overall.first, overall.second), None
        posterior = unpaired_posterior(overall.first, overall.second)
    log_evidence = evidence(one, other)
    after = int(stopping_times(log_evidence, own_alpha))
    further: int | None = 0
    if not after:
        futures = continue_sessions(one, other, evidence, MOST_FURTHER, FUTURES, SEED)
        further = _median_stop(futures, own_alpha)
    return Comparison(
        first,
        second,
        overall,
        tuple(_difference(session, pairing, first, second, task) for task in session.tasks),
        len(pairing.single) if overall.pairs is not None else 0,
        test,
        p,
        mid_p,
        log_evidence,
        anytime_p(log_evidence),
        posterior,
        after,
        further,
        session.is_fixed,
        session.alpha,
        own_alpha,
    )


def _difference(
    session: ReportedSession, pairing: Pairing, first: str, second: str, task: str | None
) -> Difference:
    one, other = (_successes(session, name, task) for name in (first, second))
    if outcomes := pairing.outcomes(task):
        counts = count_pairs(outcomes)
        interval = paired_difference_interval(counts)
        return Difference(task or '', one, other, counts, counts.difference, interval)
    gap = one[0] / max(1, one[1]) - other[0] / max(1, other[1])
    return Difference(task or '', one, other, None, gap, difference_interval(one, other))


def _successes(session: ReportedSession, name: str, task: str | None) -> tuple[int, int]:
    trials = session.counted_of(name, task)
    return sum(record.success for record in trials), len(trials)


def _median_stop(log_evidence: NDArray[np.float64], alpha: float) -> int | None:
    """After how many more pairs half of the futures are decided."""
    stops = stopping_times(log_evidence, alpha)
    median = float(np.median(np.where(stops > 0, stops, np.inf)))
    return round(median) if np.isfinite(median) else None
