"""Whether the statistics of sessions can be believed: false alarms, and agreement with others.

Nothing here depends on the machine; the seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
from scipy import integrate, special

from magma_ros.benchmarks.record import Entry
from magma_ros.evaluation.statistics import paired, posterior, proportions, unpaired
from magma_ros.evaluation.statistics.completion_time import kaplan_meier
from magma_ros.evaluation.statistics.multiple_comparisons import holm_adjusted
from magma_ros.evaluation.statistics.sequential import (
    ALPHA,
    discordant_evidence,
    paired_evidence,
    stopping_times,
    unpaired_evidence,
)
from magma_ros.evaluation.statistics.simulated_sessions import Evidence, PairModel

SESSIONS = 10_000
PAIRS = 200  # each session looks at its evidence after every one of them
NULL_RATES = (0.5, 0.7, 0.9)
AGREEMENT = 1e-9
CASES = 25


def measure() -> list[Entry]:
    """False alarms of sessions without a difference, and the largest disagreement with others."""
    entries = [
        Entry(
            f'session-false-alarms-{name}',
            max(false_alarm_bound(evidence, rate, sd) for rate in NULL_RATES),
            'of sessions, 99 % bound',
            ALPHA,
        )
        for name, evidence, sd in (
            ('paired', paired_evidence, 2.0),
            ('unpaired', unpaired_evidence, 0.0),
        )
    ]
    entries.append(
        Entry(
            'session-statistics-scipy', max(scipy_disagreements()), 'largest difference', AGREEMENT
        )
    )
    if find_spec('statsmodels') is not None:
        largest = max(statsmodels_disagreements())
        entries.append(
            Entry('session-statistics-statsmodels', largest, 'largest difference', AGREEMENT)
        )
    return entries


def false_alarm_bound(
    evidence: Evidence, rate: float, difficulty_sd: float, sessions: int = SESSIONS
) -> float:
    """Share of sessions without any difference that stop: upper 99 % bound of the simulation."""
    model = PairModel(rate, rate, difficulty_sd)
    stops = stopping_times(evidence(*model.draw(sessions, PAIRS, seed=1)))
    alarms = int(np.count_nonzero(stops))
    return proportions.exact_interval(alarms, sessions, confidence=0.98)[1]


def scipy_disagreements() -> Iterator[float]:
    """Differences to values that scipy integrates or has in closed form."""
    random = np.random.default_rng(2)
    for _ in range(CASES):
        b, c = (int(count) for count in random.integers(0, 12, 2))
        wealth = integrate.quad(
            lambda t, b=b, c=c: (
                2 ** (b + c + 1) / np.pi * np.sin(t) ** (2 * b) * np.cos(t) ** (2 * c)
            ),
            0.0,
            np.pi / 2,
            epsabs=1e-12,
        )[0]
        yield abs(float(discordant_evidence(b, c)) - np.log(wealth))
        tail = 2 * float(special.bdtr(min(b, c), b + c, 0.5))
        yield abs(paired.mcnemar_exact(paired.PairCounts(0, b, c, 0)) - min(1.0, tail))
        n, m = (int(count) for count in random.integers(1, 40, 2))
        k, j = int(random.integers(0, n + 1)), int(random.integers(0, m + 1))
        ours = posterior.unpaired_posterior((k, n), (j, m), posterior.UNIFORM).first_better
        yield abs(ours - _better_in_closed_form(k, n, j, m))


def statsmodels_disagreements() -> Iterator[float]:
    """Differences to statsmodels, an independent implementation."""
    from statsmodels.duration.survfunc import SurvfuncRight
    from statsmodels.stats import contingency_tables, multitest, proportion

    random = np.random.default_rng(3)
    p_values = random.random(40) ** 4
    adjusted = multitest.multipletests(p_values, method='holm')[1]
    yield _apart(holm_adjusted(p_values.tolist()), adjusted)
    for _ in range(CASES):
        n, m = (int(count) for count in random.integers(1, 200, 2))
        k, j = int(random.integers(0, n + 1)), int(random.integers(0, m + 1))
        for ours, method in (
            (proportions.exact_interval(k, n), 'beta'),
            (proportions.wilson_interval(k, n), 'wilson'),
        ):
            yield _apart(ours, proportion.proportion_confint(k, n, method=method))
        theirs = proportion.confint_proportions_2indep(
            k, n, j, m, method='newcomb', compare='diff'
        )
        yield _apart(unpaired.difference_interval((k, n), (j, m)), theirs)
        a, b, c, d = (int(count) for count in random.integers(0, 20, 4))
        exact = contingency_tables.mcnemar([[a, b], [c, d]], exact=True).pvalue
        yield abs(paired.mcnemar_exact(paired.PairCounts(a, b, c, d)) - exact)
        times, done = random.integers(1, 15, 30).astype(float), random.random(30) < 0.7
        curve = kaplan_meier(times.tolist(), done.tolist(), 15.0)
        theirs = SurvfuncRight(times, done.astype(int))
        at = np.searchsorted(curve.times_s, theirs.surv_times)
        yield _apart(curve.not_done[at], theirs.surv_prob)


def _apart(ours: object, theirs: object) -> float:
    return float(np.max(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))))


def _better_in_closed_form(k: int, n: int, j: int, m: int) -> float:
    """P(first > second) with uniform priors: a sum over the counts of the first (Cook 2005)."""
    a, b, c, d = k + 1, n - k + 1, j + 1, m - j + 1
    i = np.arange(a)
    terms = special.betaln(c + i, b + d) - np.log(b + i)
    return float(np.sum(np.exp(terms - special.betaln(1 + i, b) - special.betaln(c, d))))
