"""Runs what a session still lacks, in its order; interrupted at any moment, it goes on from there.

A trial that did not come to its end is kept as invalid, with the reason, and repeated under the
same code on the same layout. Nothing is skipped or drawn again, and nothing is said about results.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from magma_ros.errors import ConfigurationError, MagmaError, RecordingError
from magma_ros.evaluation.sessions.sealing import Key
from magma_ros.evaluation.sessions.session_file import Session
from magma_ros.evaluation.sessions.session_folder import (
    ERRORS,
    STOPPED,
    SessionFolder,
    now_utc,
    write_json,
)
from magma_ros.evaluation.sessions.stopping import has_decided
from magma_ros.evaluation.sessions.trial_record import TRIALS, TrialRecord, append_record
from magma_ros.evaluation.sessions.trial_runner import Attempt, TrialRunner, begin_attempt

UNDER_WAY = 'trial_under_way.json'  # what a process that was killed leaves behind
MOST_FAILURES = 3  # in a row
MakeRunner = Callable[[SessionFolder, Session, Key], TrialRunner]


def run_session(
    folder: SessionFolder,
    make_runner: MakeRunner,
    most_trials: int | None = None,
    on_trial: Callable[[TrialRecord], None] = lambda record: None,
) -> bool:
    """Run until all is done, the stopping rule has decided, or ``most_trials`` more were valid.

    Args:
        folder: of the session.
        make_runner: called once, with what the codes mean.
        most_trials: None: all.
        on_trial: called after each trial, valid or not.

    Returns:
        Whether the session is complete.

    Raises:
        ConfigurationError: another process runs it, it was reported, or files were changed.
        MagmaError: a trial failed several times; the session can be resumed.
        KeyboardInterrupt: after the trial was noted as invalid.
    """
    with folder.claim():
        _note_killed(folder)
        key = folder.open_key()
        session = folder.open_file(key)
        if not folder.remaining() or most_trials == 0:
            return not folder.remaining()
        runner = make_runner(folder, session, key)
        try:
            _run_remaining(folder, session, key, runner, most_trials, on_trial)
        finally:
            runner.close()
        return not folder.remaining()


def _run_remaining(
    folder: SessionFolder,
    session: Session,
    key: Key,
    runner: TrialRunner,
    most_trials: int | None,
    on_trial: Callable[[TrialRecord], None],
) -> None:
    attempts = Counter(record.trial for record in folder.records())
    valid, failures = 0, 0
    while (remaining := folder.remaining()) and (most_trials is None or valid < most_trials):
        planned = remaining[0]
        attempt = begin_attempt(planned, attempts[planned.trial])
        attempts[planned.trial] += 1
        record, fault = _run_attempt(folder, runner, attempt)
        on_trial(record)
        failures = 0 if fault is None else failures + 1
        if fault is not None and failures >= MOST_FAILURES:
            raise _as_discreet(fault, folder)
        if record.invalid:
            continue
        valid += 1
        is_cell_complete = len(remaining) == 1 or _cell(remaining[1]) != _cell(planned)
        if is_cell_complete and _is_decided(folder, session, key):
            write_json(
                folder.path / STOPPED, {'after_trial': planned.trial, 'stopped_utc': now_utc()}
            )


def _run_attempt(
    folder: SessionFolder, runner: TrialRunner, attempt: Attempt
) -> tuple[TrialRecord, MagmaError | None]:
    """The record that was kept, and what went wrong."""
    under_way = folder.path / UNDER_WAY
    about = {'trial': attempt.planned.trial, 'started_utc': attempt.started_utc}
    write_json(under_way, about)
    fault = None
    try:
        record = runner.run(attempt)
    except MagmaError as error:
        fault = error
        with (folder.path / ERRORS).open('a', encoding='utf-8') as file:
            file.write(f'{attempt.stem}: {error}\n')
        record = attempt.record(ended='error', invalid=f'not run: {type(error).__name__}')
    except KeyboardInterrupt:
        record = attempt.record(ended='interrupted', invalid='interrupted by the operator')
        append_record(folder.path / TRIALS, record)
        under_way.unlink()
        raise
    append_record(folder.path / TRIALS, record)
    under_way.unlink()
    return record, fault


def _note_killed(folder: SessionFolder) -> None:
    """The trial during which an earlier process ended without a word is invalid."""
    under_way = folder.path / UNDER_WAY
    if not under_way.exists():
        return
    try:
        about = json.loads(under_way.read_text(encoding='utf-8'))
        planned = folder.plan.order[about['trial']]
        started_utc = str(about['started_utc'])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise RecordingError(f'{under_way} is damaged ({error}); delete it') from error
    records = folder.records()
    earlier = [record for record in records if record.trial == planned.trial]
    if started_utc not in {record.started_utc for record in earlier}:
        attempt = Attempt(planned, len(earlier) + 1, started_utc)
        record = attempt.record(ended='interrupted', invalid='the process ended in the middle')
        append_record(folder.path / TRIALS, record)
    under_way.unlink()


def _as_discreet(fault: MagmaError, folder: SessionFolder) -> MagmaError:
    """The error as the operator may read it."""
    if not folder.plan.blinding:
        return fault
    return ConfigurationError(
        f'a trial could not be run {MOST_FAILURES} times in a row. The reason is in '
        f'{Path(folder.path / ERRORS)}; it may name the condition, so let somebody else read it. '
        f'Then: magma session resume {folder.path}'
    )


def _is_decided(folder: SessionFolder, session: Session, key: Key) -> bool:
    wanted = session.comparison
    if wanted is None:
        return False
    codes = (key.code_of(wanted.first), key.code_of(wanted.second))
    return has_decided(wanted, codes, [one for one in folder.records() if not one.invalid])


def _cell(planned: object) -> tuple[object, ...]:
    return tuple(getattr(planned, name) for name in ('block', 'task', 'layout'))
