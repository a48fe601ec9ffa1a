"""What a demo run found: episodes, success with intervals, where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from magma_ros.evaluation.node_session import EpisodeRecord
from magma_ros.evaluation.statistics.proportions import exact_interval

MS = 1000.0


@dataclass(frozen=True)
class TaskSuccess:
    """Success of the episodes of one kind of task."""

    task: str
    successes: int
    episodes: int

    @property
    def interval_95(self) -> tuple[float, float]:
        """Exact (Clopper-Pearson)."""
        return exact_interval(self.successes, self.episodes)


@dataclass(frozen=True)
class StageTime:
    """How long one stage took, over all pictures."""

    stage: str
    p50_ms: float
    p95_ms: float
    count: int


@dataclass(frozen=True)
class ControlLateness:
    """How late the ticks of the control loop began: the worst of the episodes for p99 and max."""

    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True)
class DemoReport:
    """Everything that is printed, written as JSON, and shown on the summary page."""

    episodes: tuple[EpisodeRecord, ...]
    mode: str
    model_name: str
    model_sha256: str
    machine: Mapping[str, Any]
    command_line: str
    date: str
    set_up_s: float | None  # from the start of the command to the first motion

    def success(self) -> list[TaskSuccess]:
        """By kind of task in the order they came, then all together if there are several kinds."""
        kinds = list(dict.fromkeys(record.task for record in self.episodes))
        groups = {kind: [r for r in self.episodes if r.task == kind] for kind in kinds}
        if len(kinds) > 1:
            groups['all'] = list(self.episodes)
        return [
            TaskSuccess(name, sum(record.success for record in records), len(records))
            for name, records in groups.items()
        ]

    def stages(self) -> list[StageTime]:
        """From the exposure of a picture to its action.

        In path mode the model is asked once an episode, and every picture is a step from then on.
        """
        model_s = [value for record in self.episodes for value in record.latencies_s]
        whole_s = [value for record in self.episodes for value in record.ages_s]
        before_s = [whole - model for whole, model in zip(whole_s, model_s, strict=True)]
        asked = [_stage_time('prepare, model, decode', model_s)]
        if self.mode == 'path':
            first_s = [value for record in self.episodes for value in record.latencies_s[:1]]
            later_s = [value for record in self.episodes for value in record.latencies_s[1:]]
            asked = [
                _stage_time('prepare, model draws the path', first_s),
                _stage_time('step along the path', later_s),
            ]
        return [
            _stage_time('camera, transport, waiting', before_s),
            *asked,
            _stage_time('picture to action', whole_s),
        ]

    def control_lateness(self) -> ControlLateness:
        """Of the whole run; zeros without episodes."""
        if not self.episodes:
            return ControlLateness(0.0, 0.0, 0.0)
        return ControlLateness(
            float(np.median([record.late_p50_ms for record in self.episodes])),
            max(record.late_p99_ms for record in self.episodes),
            max(record.late_max_ms for record in self.episodes),
        )


def as_plain_data(report: DemoReport) -> dict[str, Any]:
    """What ``magma demo --json`` prints."""
    return {
        **asdict(report),
        'success': [
            {**asdict(one), 'interval_95': [round(end, 3) for end in one.interval_95]}
            for one in report.success()
        ],
        'stages': [asdict(one) for one in report.stages()],
        'control_lateness': asdict(report.control_lateness()),
    }


def _stage_time(stage: str, values_s: Sequence[float]) -> StageTime:
    if not values_s:
        return StageTime(stage, 0.0, 0.0, 0)
    p50, p95 = np.percentile(values_s, (50, 95)) * MS
    return StageTime(stage, round(float(p50), 1), round(float(p95), 1), len(values_s))
