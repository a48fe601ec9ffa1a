"""What runs a trial: the simulation through the core, real processes, or a real arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from magma_ros.evaluation.sessions.order import PlannedTrial
from magma_ros.evaluation.sessions.session_folder import now_utc
from magma_ros.evaluation.sessions.trial_record import TrialRecord


@dataclass(frozen=True)
class Attempt:
    """One go at a trial; a trial that was invalid has more than one."""

    planned: PlannedTrial
    number: int  # from 1
    started_utc: str

    @property
    def stem(self) -> str:
        """Of the names of all its files: says nothing but when it was its turn."""
        again = f'_{self.number}' if self.number > 1 else ''
        return f'trial_{self.planned.trial:04d}{again}'

    def record(self, **outcome: object) -> TrialRecord:
        """The record of this attempt; what is not given is nothing, or unknown."""
        one = self.planned
        values: dict[str, object] = {
            'success': False,
            'scored_by': 'simulation',
            'duration_s': 0.0,
            'bag': '',
            'motion': '',
            'thumbnail': '',
            'interventions': 0,
            'safety_events': (),
            'latency_p50_ms': float('nan'),
            'latency_p95_ms': float('nan'),
            'note': '',
            'invalid': '',
            **outcome,
        }
        return TrialRecord(
            trial=one.trial,
            block=one.block,
            task=one.task,
            layout=one.layout,
            code=one.code,
            started_utc=self.started_utc,
            **values,  # type: ignore[arg-type]
        )


def begin_attempt(planned: PlannedTrial, earlier: int) -> Attempt:
    """An attempt that starts now, after so many earlier ones."""
    return Attempt(planned, earlier + 1, now_utc())


class TrialRunner(Protocol):
    """Runs trials one at a time, under the condition their code stands for."""

    def run(self, attempt: Attempt) -> TrialRecord:
        """One trial from laying the table to the judgement.

        Raises:
            MagmaError: it could not be run; nothing is known about the condition from that.
        """

    def close(self) -> None:
        """Leave everything as it should be left."""
