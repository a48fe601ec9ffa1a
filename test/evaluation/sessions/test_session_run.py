from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from session_kit import SECRET, ScriptedRunner, write_table

from magma_ros.errors import ArmError, ConfigurationError, RecordingError
from magma_ros.evaluation.sessions.new_session import create_session
from magma_ros.evaluation.sessions.session_folder import SessionFolder
from magma_ros.evaluation.sessions.session_run import run_session
from magma_ros.evaluation.sessions.trial_record import TRIALS
from magma_ros.evaluation.sessions.unsealing import unseal


def fine(attempt) -> dict:
    return {'success': True}


def at(trial: int, error: BaseException, times: int = 1):
    """Fine, but for some attempts at one trial."""

    def act(attempt) -> dict:
        if attempt.planned.trial == trial and attempt.number <= times:
            raise error
        return {}

    return act


def test_all_trials_run_in_their_order(make_session) -> None:
    folder, runner = make_session(), ScriptedRunner(fine)

    assert run_session(folder, runner)

    assert [one.planned for one in runner.attempts] == list(folder.plan.order)
    assert [one.code for one in folder.records()] == [one.code for one in folder.plan.order]
    assert folder.remaining() == []
    assert runner.is_closed


def test_it_stops_after_so_many_and_goes_on_from_there(make_session) -> None:
    folder = make_session()
    first, second = ScriptedRunner(fine), ScriptedRunner(fine)

    assert not run_session(folder, first, most_trials=4)
    assert run_session(SessionFolder(folder.path), second)

    assert [one.planned for one in first.attempts + second.attempts] == list(folder.plan.order)


def test_an_interrupted_trial_is_kept_as_invalid_and_repeated(make_session) -> None:
    folder = make_session()
    with pytest.raises(KeyboardInterrupt):
        run_session(folder, ScriptedRunner(at(4, KeyboardInterrupt())))
    runner = ScriptedRunner(fine)

    assert run_session(folder, runner)

    assert [one.planned for one in runner.attempts] == list(folder.plan.order[4:])
    assert [one.stem for one in runner.attempts[:2]] == ['trial_0004_2', 'trial_0005']
    records = folder.records()
    assert [one.trial for one in records] == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]
    assert [one.invalid for one in records if one.invalid] == ['interrupted by the operator']


def test_what_the_scorer_calls_invalid_is_repeated_at_once(make_session) -> None:
    folder = make_session()

    def slip(attempt) -> dict:
        is_bad = attempt.planned.trial == 2 and attempt.number < 3
        return {'invalid': 'the cube rolled away' if is_bad else ''}

    runner = ScriptedRunner(slip)
    assert run_session(folder, runner)

    trials = [one.planned.trial for one in runner.attempts]
    assert trials == [0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8]
    assert len({(one.planned.code, one.planned.layout) for one in runner.attempts[2:5]}) == 1


def test_a_process_that_was_killed_leaves_an_invalid_trial(make_session, tmp_path: Path) -> None:
    folder = make_session()
    program = (
        'import os, signal\n'
        'from pathlib import Path\n'
        'from session_kit import ScriptedRunner\n'
        'from magma_ros.evaluation.sessions.session_folder import SessionFolder\n'
        'from magma_ros.evaluation.sessions.session_run import run_session\n'
        'def act(attempt):\n'
        '    if attempt.planned.trial == 3:\n'
        '        os.kill(os.getpid(), signal.SIGKILL)\n'
        '    return {}\n'
        f'run_session(SessionFolder(Path({str(folder.path)!r})), ScriptedRunner(act))\n'
    )
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, '-c', program], env=environment)
    assert done.returncode == -signal.SIGKILL
    with (folder.path / TRIALS).open('ab') as file:  # and it tore a line
        file.write(b'{"trial": 3, "blo')

    runner = ScriptedRunner(fine)
    assert run_session(folder, runner)

    assert [one.planned for one in runner.attempts] == list(folder.plan.order[3:])
    invalid = [one for one in folder.records() if one.invalid]
    assert [(one.trial, one.invalid) for one in invalid] == [
        (3, 'the process ended in the middle')
    ]
    assert len(folder.records()) == len(folder.plan.order) + 1


def test_a_trial_that_could_not_be_run_is_repeated(make_session) -> None:
    folder = make_session()

    assert run_session(folder, ScriptedRunner(at(1, ArmError('secret-model-7 fell over'), 2)))

    assert [one.invalid for one in folder.records()][:4] == [
        '',
        'not run: ArmError',
        'not run: ArmError',
        '',
    ]


def test_after_three_failures_in_a_row_it_gives_up_without_naming_anything(make_session) -> None:
    folder = make_session()
    error = ArmError('secret-model-7 fell over')

    with pytest.raises(ConfigurationError, match='3 times in a row') as told:
        run_session(folder, ScriptedRunner(at(1, error, 3)))

    assert 'secret' not in str(told.value)
    assert 'secret' in (folder.path / 'sealed/errors.txt').read_text()
    assert run_session(folder, ScriptedRunner(fine))


def test_without_blinding_the_reason_is_told(make_session) -> None:
    folder = make_session(lambda table: table.update(blinding=False))

    with pytest.raises(ArmError, match='fell over'):
        run_session(folder, ScriptedRunner(at(0, ArmError('it fell over'), 3)))


def test_the_stopping_rule_ends_it_after_whole_layouts(make_session) -> None:
    def with_rule(table: dict) -> None:
        table['comparison'] = {'first': 'steady_hand', 'second': 'shaky_hand', 'alpha': 0.2}
        table['comparison']['stopping'] = 'paired'
        table['layouts']['count'] = 30

    folder = make_session(with_rule)
    good = folder.open_key().code_of('steady_hand')

    runner = ScriptedRunner(lambda attempt: {'success': attempt.planned.code == good})
    assert run_session(folder, runner)

    # 2^5 B(5.5, 0.5) / B(0.5, 0.5) = 7.9 is the first to pass 1 / 0.2.
    ran = len(runner.attempts)
    assert ran == 3 * 5
    assert json.loads((folder.path / 'stopped.json').read_text())['after_trial'] == ran - 1
    assert folder.remaining() == []
    opened = unseal(folder)
    assert (opened.missing, opened.is_fixed) == (90 - ran, False)
    assert (opened.primary, opened.alpha) == (('steady_hand', 'shaky_hand'), 0.2)


def test_two_processes_cannot_run_one_session(make_session) -> None:
    folder = make_session()

    with folder.claim(), pytest.raises(ConfigurationError, match='by another process'):
        run_session(folder, ScriptedRunner(fine))


def test_a_report_before_the_end_is_refused_or_ends_the_session(make_session) -> None:
    folder = make_session()
    run_session(folder, ScriptedRunner(fine), most_trials=2)

    with pytest.raises(ConfigurationError, match='lacks 7 of 9 trials'):
        unseal(folder)
    opened = unseal(folder, end_early=True)

    assert (len(opened.counted), opened.missing, opened.is_fixed) == (2, 7, False)
    assert unseal(folder).missing == 7  # as often as one likes
    with pytest.raises(ConfigurationError, match='has been reported'):
        run_session(folder, ScriptedRunner(fine))


def test_records_of_another_session_are_refused(make_session) -> None:
    folder = make_session()
    run_session(folder, ScriptedRunner(fine), most_trials=2)
    path = folder.path / TRIALS
    path.write_text(path.read_text().replace('"layout": "1', '"layout": "7'))

    with pytest.raises(RecordingError, match=r'trial 0 is not as session\.json has it'):
        folder.remaining()


@pytest.mark.parametrize('name', ['key.json', 'session.yaml'])
def test_a_key_or_file_that_was_changed_is_refused(make_session, name: str) -> None:
    folder = make_session()
    path = folder.path / 'sealed' / name
    path.write_text(path.read_text() + '\n')

    with pytest.raises(ConfigurationError, match=name):
        run_session(folder, ScriptedRunner(fine))


@pytest.mark.parametrize('text', ['{', '{"format": 1}', '[]'])
def test_a_damaged_plan_is_named(make_session, text: str) -> None:
    folder = make_session()
    (folder.path / 'session.json').write_text(text)

    with pytest.raises(ConfigurationError, match=r'session\.json is damaged'):
        SessionFolder(folder.path)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    file = write_table(tmp_path / 'file.yaml')

    with pytest.raises(ConfigurationError, match='give a folder that is new or empty'):
        create_session(file, tmp_path, lambda choice: SECRET)
    with pytest.raises(ConfigurationError, match='is no session'):
        SessionFolder(tmp_path)


def test_a_hostile_title_is_text_and_no_path(make_session, tmp_path: Path) -> None:
    title = '../../etc/<script>$(touch here)'

    folder = make_session(lambda table: table.update(title=title))
    run_session(folder, ScriptedRunner(fine))

    assert unseal(folder).title == title
    assert {path.name for path in tmp_path.iterdir()} == {'file.yaml', 'session'}
