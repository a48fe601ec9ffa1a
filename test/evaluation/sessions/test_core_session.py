"""A whole session of the ``magma`` command in simulation, and what its operator could see."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from session_kit import write_table

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.session_folder import SessionFolder
from magma_ros.tools.magma import main
from magma_ros.tools.session import choose_runner

pytest.importorskip('mujoco')

NAMES = ('steady_hand', 'restless_hand')


def short(table: dict) -> None:
    table['layouts']['count'] = 2
    table['conditions'] = {
        NAMES[0]: {'kind': 'simulated_operator', 'noise_m': 0.0, 'skill': 1.0, 'delay_s': 0.05},
        NAMES[1]: {'kind': 'simulated_operator', 'noise_m': 0.01, 'skill': 0.0},
    }


@pytest.fixture(scope='module')
def ran(tmp_path_factory: pytest.TempPathFactory):
    """The folder of a session that was interrupted and resumed, and all that was printed."""
    path = tmp_path_factory.mktemp('sessions')
    file, out = write_table(path / 'file.yaml', short), path / 'out'
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        codes = [
            main(['session', 'new', str(file), '--out', str(out)]),
            main(['session', 'run', str(out), '--trials', '1']),
            main(['session', 'resume', str(out)]),
        ]
    return SessionFolder(out), printed.getvalue(), codes


def test_it_runs_to_its_end_in_its_order(ran) -> None:
    folder, printed, codes = ran

    assert codes == [0, 1, 0]
    assert [one.trial for one in folder.records()] == [0, 1, 2, 3]
    assert 'blinded' in printed
    assert f'complete: magma session report {folder.path}' in printed


def test_who_can_succeeds_and_who_never_looks_does_not(ran) -> None:
    folder, _, _ = ran
    good = folder.open_key().code_of(NAMES[0])

    assert {one.layout: one.success for one in folder.records() if one.code == good} == {
        '10': True,
        '11': True,
    }
    assert not any(one.success for one in folder.records() if one.code != good)


def test_every_trial_has_its_motion_and_picture(ran) -> None:
    folder, _, _ = ran

    for record in folder.records():
        with np.load(folder.path / record.motion, allow_pickle=False) as motion:
            times_s, positions_m = motion['t_s'], motion['position_m']
        assert positions_m.shape == (len(times_s), 3)
        assert np.diff(times_s) == pytest.approx(0.02)
        assert times_s[-1] >= record.duration_s
        assert cv2.imread(str(folder.path / record.thumbnail)).shape[1] == 240


def test_both_conditions_meet_the_same_table(ran) -> None:
    folder, _, _ = ran
    starts: dict[str, list] = {}
    for record in folder.records():
        with np.load(folder.path / record.motion, allow_pickle=False) as motion:
            starts.setdefault(record.layout, []).append(motion['position_m'][0])

    for one, other in starts.values():
        assert one == pytest.approx(other, abs=1e-4)
    assert abs(starts['10'][0] - starts['11'][0]).max() > 0.005


def test_nothing_the_operator_sees_names_a_condition(ran) -> None:
    folder, printed, _ = ran
    seen = {'terminal': printed}
    for path in folder.path.rglob('*'):
        if path.is_file() and 'sealed' not in path.relative_to(folder.path).parts:
            seen[str(path.relative_to(folder.path))] = path.read_bytes().decode(errors='replace')
    assert len(seen) >= 1 + 2 + 4 + 4

    for where, text in seen.items():
        for word in ('steady', 'restless', 'operator', 'skill', 'nano'):
            assert word not in f'{where} {text}'.lower(), where
    assert {re.sub(r'\d', '', path.stem) for path in (folder.path / 'motion').iterdir()} == {
        'trial_'
    }


@pytest.mark.parametrize('words', [['resume', 'nowhere'], ['run', 'nowhere.yaml']])
def test_what_is_not_there_is_named(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(['session', words[0], str(tmp_path / words[1])]) == 2
    assert 'nowhere' in capsys.readouterr().err


@pytest.mark.parametrize('is_unattended', [True, False])
def test_a_session_on_hardware_needs_somebody(is_unattended: bool, monkeypatch) -> None:
    monkeypatch.setattr('sys.stdin', io.StringIO())  # no terminal
    folder = SimpleNamespace(plan=SimpleNamespace(through='hardware'))

    with pytest.raises(ConfigurationError, match='needs a person'):
        choose_runner(folder, is_unattended)
