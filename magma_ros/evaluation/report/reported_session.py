"""What a report is made of: a session whose codes have been opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from magma_ros.errors import ConfigurationError, RecordingError
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.statistics.sequential import ALPHA


@dataclass(frozen=True)
class ReportedSession:
    """A session, its trials in the order in which they were run, and what its codes mean.

    Attributes:
        title: of the session.
        folder: that the paths in the records are relative to.
        trials: all of them, those that do not count too.
        conditions: names by code, in the order in which they are to be shown.
        missing: trials that were planned and never run.
        is_fixed: the number of trials was fixed beforehand and reached. Only then tests for a
            fixed number decide; otherwise the sequential one does.
        primary: names of the two conditions the session is about, if it says so; other
            comparisons count only when this one is decided.
        alpha: chance that the report names any difference where there is none.
        facts: what else is to be known about how it was made, shown as it is.
    """

    title: str
    folder: Path
    trials: tuple[TrialRecord, ...]
    conditions: Mapping[str, str]
    missing: int = 0
    is_fixed: bool = False
    primary: tuple[str, str] | None = None
    alpha: float = ALPHA
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> tuple[TrialRecord, ...]:
        """Trials that count."""
        return tuple(record for record in self.trials if not record.invalid)

    @property
    def not_counted(self) -> tuple[TrialRecord, ...]:
        """Trials that were repeated, or were to be."""
        return tuple(record for record in self.trials if record.invalid)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the conditions."""
        return tuple(self.conditions.values())

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the order of their first trial."""
        return tuple(dict.fromkeys(record.task for record in self.trials))

    def name_of(self, record: TrialRecord) -> str:
        """The condition of a trial."""
        return self.conditions[record.code]

    def counted_of(self, name: str, task: str | None = None) -> list[TrialRecord]:
        """Trials of one condition that count, of one task or of all."""
        return [
            record
            for record in self.counted
            if self.name_of(record) == name and task in (None, record.task)
        ]


def check_session(session: ReportedSession) -> None:
    """Pass a session that a report can be made of.

    Raises:
        ConfigurationError: no trial counts, names are not unique, or the primary comparison is
            of other conditions.
        RecordingError: a code means nothing, or a trial counts twice.
    """
    if len(set(session.names)) != len(session.names):
        raise ConfigurationError(f'conditions must have different names: {session.names}')
    if session.primary and not set(session.primary) <= set(session.names):
        raise ConfigurationError(
            f'the primary comparison {session.primary} is not of two of {session.names}'
        )
    unknown = {record.code for record in session.trials} - set(session.conditions)
    if unknown:
        raise RecordingError(
            f'no condition for the codes {sorted(unknown)}: the trials and the key are of '
            'different sessions; restore both from a copy'
        )
    if not session.counted:
        raise ConfigurationError(
            f'{session.folder}: no trial counts yet; magma session run, then report'
        )
    often = Counter(record.trial for record in session.counted)
    twice = sorted(trial for trial, count in often.items() if count > 1)
    if twice:
        raise RecordingError(
            f'{session.folder}: trials {twice} count twice; mark all but one of each invalid, '
            'with the reason'
        )
