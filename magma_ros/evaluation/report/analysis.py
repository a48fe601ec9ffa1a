"""Everything a report says about a session, before it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from magma_ros.evaluation.report.comparison import Comparison, compare_all
from magma_ros.evaluation.report.condition_figures import ConditionFigures, condition_figures
from magma_ros.evaluation.report.headline import Headline, write_headline
from magma_ros.evaluation.report.reported_session import ReportedSession, check_session
from magma_ros.evaluation.report.trial_files import TrialFiles, read_trial_files
from magma_ros.evaluation.sessions.trial_record import TrialRecord


@dataclass(frozen=True)
class Analysis:
    """A session and what it says."""

    session: ReportedSession
    files: Mapping[TrialRecord, TrialFiles]
    overall: tuple[ConditionFigures, ...]  # a condition each
    by_task: tuple[ConditionFigures, ...]  # for each task, a condition each
    comparisons: tuple[Comparison, ...]
    headlines: tuple[Headline, ...]  # of the comparisons

    @property
    def limits(self) -> list[str]:
        """What the reader has to know before believing the answer."""
        session = self.session
        texts = []
        if session.missing:
            texts.append(f'Planned and never run: {_count(session.missing)}.')
        if session.not_counted:
            texts.append(f'Not counted, with reasons below: {_count(len(session.not_counted))}.')
        for one in self.comparisons:
            if one.single:
                texts.append(
                    f'{one.first} / {one.second}: without a partner on the same initial '
                    f'condition, and therefore only in the success rates: {_count(one.single)}.'
                )
            elif not one.is_paired:
                texts.append(
                    f'{one.first} / {one.second}: no common initial conditions, so easy and '
                    'difficult ones may be shared out unevenly.'
                )
        complaints = sum(bool(one.complaints) for one in self.files.values())
        if complaints:
            texts.append(f'With missing or damaged files, named below: {_count(complaints)}.')
        if any(record.scored_by == 'operator' for record in session.counted):
            texts.append('A person judged the trials; who drives a condition knows which it is.')
        return texts


def analyse(session: ReportedSession) -> Analysis:
    """All figures and comparisons.

    Raises:
        ConfigurationError, RecordingError: as of ``check_session``. Files of trials that are
            missing or damaged are no error; they are named in the report.
    """
    check_session(session)
    files = read_trial_files(session.folder, session.trials)
    comparisons = tuple(compare_all(session))
    return Analysis(
        session,
        files,
        tuple(condition_figures(session, files, name) for name in session.names),
        tuple(
            condition_figures(session, files, name, task)
            for task in session.tasks
            for name in session.names
        ),
        comparisons,
        tuple(write_headline(one) for one in comparisons),
    )


def _count(trials: int) -> str:
    return f'{trials} {"trial" if trials == 1 else "trials"}'
