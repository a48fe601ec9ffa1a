from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ModelError  # noqa: E402
from magma_ros.evaluation.demo_episodes import (  # noqa: E402
    DemoSetting,
    FilmedEpisode,
    PlannedEpisode,
)
from magma_ros.evaluation.episode_watch import Frame  # noqa: E402
from magma_ros.evaluation.node_session import EpisodeRecord  # noqa: E402
from magma_ros.evaluation.summary_page import make_thumbnail  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.tools import demo  # noqa: E402
from magma_ros.tools.magma import main  # noqa: E402


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list:
    """Replaces model and nodes; collects what the nodes would have been asked to do."""
    import numpy as np

    seen: list = []
    jpeg = make_thumbnail(np.zeros((48, 64, 3), np.uint8))

    def run_episodes(
        plan: tuple[PlannedEpisode, ...],
        setting: DemoSetting,
        on_episode: Callable[[EpisodeRecord], None],
        on_frame: Callable[[bytes], None],
    ) -> list[FilmedEpisode]:
        seen.append((plan, setting))
        films = []
        for one in plan:
            sentence = one.sentence or 'its own words'
            record = EpisodeRecord(
                one.task, one.seed, sentence, True, 3.0, (0.03,), (0.05,), (), (), 0.1, 0.5, 1.0
            )
            on_frame(jpeg)
            on_episode(record)
            films.append(FilmedEpisode(record, (Frame(1e9, jpeg),)))
        return films

    model = SimpleNamespace(identity=ModelIdentity('magma-nano', 'ab12'))
    monkeypatch.setattr(demo, 'run_episodes', run_episodes)
    monkeypatch.setattr(demo, 'load_onnx_model', lambda *_: model)
    monkeypatch.setattr(demo, 'asset_path', lambda name: tmp_path)
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    monkeypatch.chdir(tmp_path)
    return seen


def test_the_default_is_two_of_each(runs: list, capsys: pytest.CaptureFixture) -> None:
    assert main(['demo']) == 0
    plan, setting = runs[0]
    assert [one.task for one in plan] == ['reach', 'reach', 'pick', 'pick', 'put', 'put']
    assert setting.perception['mode'] == 'path'
    assert setting.domain_id in demo.DOMAINS
    printed = capsys.readouterr().out
    assert f'seed {plan[0].seed} to {plan[5].seed}' in printed
    assert printed.count('its own words') == 6
    assert '│ all   │ 6/6  │ 1.00 │ 0.54 to 1.00' in printed
    assert 'control lateness: p50 0.10 ms, p99 0.50 ms, max 1.00 ms' in printed
    (page,) = Path('runs/demo').glob('*/summary.html')
    assert {file.name for file in page.parent.iterdir()} == {
        'summary.html',
        'demo.webm',
        'report.json',
    }


def test_a_sentence_and_a_seed_are_one_episode(runs: list) -> None:
    words = 'put the red cube on the blue plate'
    assert main(['demo', '--instruction', words, '--seed', '7', '--domain', '31']) == 0
    plan, setting = runs[0]
    assert plan == (PlannedEpisode('put', 7, words),)
    assert setting.domain_id == 31


def test_runs_do_not_overwrite_each_other(runs: list) -> None:
    for _ in range(2):
        assert main(['demo', '--episodes', '1', '--out', 'here']) == 0
    assert len(list(Path('here').iterdir())) == 2


def test_json_is_all_there_is_on_standard_output(
    runs: list, capsys: pytest.CaptureFixture
) -> None:
    assert main(['demo', '--tasks', 'push', '--episodes', '2', '--json', '--seed', '3']) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert [one['seed'] for one in found['episodes']] == [3, 4]
    assert found['success'][0]['successes'] == 2
    assert 'push' in output.err


def test_the_domain_of_the_environment_is_used(
    runs: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', '77')
    assert main(['demo', '--episodes', '1']) == 0
    assert runs[0][1].domain_id == 77
    monkeypatch.setenv('ROS_DOMAIN_ID', 'seven')
    assert main(['demo', '--episodes', '1']) == 2
    assert "ROS_DOMAIN_ID is 'seven'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        (['--instruction', ''], 'the instruction is empty'),
        (['--instruction', 'put the pink cube on the blue plate'], 'there is no "pink cube"'),
        (['--instruction', 'grab the red cube', '--tasks', 'pick'], 'leave --tasks out'),
        (['--tasks', 'reach,jump'], 'tasks are reach, pick, put, push'),
        (['--episodes', '0'], 'at least one episode'),
        (['--seed', '-1'], 'seed -1: give a number from 0'),
    ],
)
def test_bad_input_starts_nothing(
    runs: list, capsys: pytest.CaptureFixture, options: list[str], reason: str
) -> None:
    assert main(['demo', *options]) == 2
    assert reason in capsys.readouterr().err
    assert runs == []
    assert not Path('runs').exists()


def test_a_missing_checkpoint_says_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr('magma_ros.resources.PACKAGE_DIRECTORY', tmp_path)
    assert main(['demo']) == 2
    assert 'make train-nano' in capsys.readouterr().err
    assert main(['demo', '--model', str(tmp_path)]) == 2
    assert 'lacks' in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named(
    runs: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise ModelError('missing or damaged in here: vision.onnx')

    monkeypatch.setattr(demo, 'load_onnx_model', refuse)
    assert main(['demo']) == 2
    assert 'vision.onnx' in capsys.readouterr().err
    assert runs == []


def test_view_serves_the_pictures(
    runs: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    shown = []
    monkeypatch.setattr(demo.LiveView, 'show', lambda self, jpeg: shown.append(jpeg))
    monkeypatch.setattr(demo.webbrowser, 'open', lambda address: shown.append(address))
    monkeypatch.setenv('DISPLAY', ':0')
    assert main(['demo', '--view', '--episodes', '1']) == 0
    assert shown[0].startswith('http://127.0.0.1:')
    assert shown[1].startswith(b'\xff\xd8')
    assert shown[0] in capsys.readouterr().out


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_with_130(
    runs: list, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    cleaned = []

    def run_episodes(*_: object) -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)  # a second one does not interrupt the cleaning up
            cleaned.append(True)

    before = signal.getsignal(number)
    monkeypatch.setattr(demo, 'run_episodes', run_episodes)
    assert main(['demo']) == 130
    assert cleaned == [True]
    assert signal.getsignal(number) is before
