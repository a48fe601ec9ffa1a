"""How one condition did: success, time, motion, interventions, safety, latency."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from magma_ros.evaluation.report.reported_session import ReportedSession
from magma_ros.evaluation.report.trial_files import TrialFiles
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.statistics.completion_time import CompletionCurve, completion_curve
from magma_ros.evaluation.statistics.proportions import exact_interval, wilson_interval


@dataclass(frozen=True)
class ConditionFigures:
    """One condition in one task, or in all (task ''). nan: nothing to take it from."""

    name: str
    task: str
    trials: int
    successes: int
    wilson: tuple[float, float]
    exact: tuple[float, float]
    unaided: int  # successes in which nobody took over
    interventions: int
    safety_events: Mapping[str, int]  # trials in which it happened, by reason
    curve: CompletionCurve | None  # None without trials
    latency_p50_ms: float  # median of the trials
    latency_p95_ms: float  # of the worst trial
    path_length_m: float  # medians of the trials that succeeded and have a recorded motion
    log_jerk: float
    spectral_arc_length: float
    motions: int

    @property
    def rate(self) -> float:
        """Of success; nan without trials."""
        return self.successes / self.trials if self.trials else math.nan


def condition_figures(
    session: ReportedSession,
    files: Mapping[TrialRecord, TrialFiles],
    name: str,
    task: str | None = None,
) -> ConditionFigures:
    """Figures of the trials that count.

    Times are followed up to the longest trial of that task under any condition, so that
    conditions can be compared.
    """
    trials = session.counted_of(name, task)
    successes = sum(record.success for record in trials)
    horizon_s = max(r.duration_s for r in session.counted if task in (None, r.task))
    motions = [
        files[record].motion for record in trials if record.success and files[record].motion
    ]
    figures = [one.figures for one in motions if one and one.figures]
    return ConditionFigures(
        name,
        task or '',
        len(trials),
        successes,
        wilson_interval(successes, len(trials)),
        exact_interval(successes, len(trials)),
        sum(record.success and not record.interventions for record in trials),
        sum(record.interventions for record in trials),
        Counter(event for record in trials for event in sorted(set(record.safety_events))),
        completion_curve(
            [record.duration_s for record in trials],
            [record.success for record in trials],
            horizon_s,
        )
        if trials
        else None,
        _over(np.median, (record.latency_p50_ms for record in trials)),
        _over(np.max, (record.latency_p95_ms for record in trials)),
        _over(np.median, (one.path_length_m for one in figures)),
        _over(np.median, (one.log_jerk for one in figures)),
        _over(np.median, (one.spectral_arc_length for one in figures)),
        len(figures),
    )


def _over(take: Callable[[list[float]], Any], values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(take(known)) if known else math.nan
