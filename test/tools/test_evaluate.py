from __future__ import annotations

import argparse
import json

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation import core_runs
from magma_ros.evaluation.suite import SUITE
from magma_ros.evaluation.trials import Condition, Trial, summarise
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.backends.acting_model import ModelChoice
from magma_ros.tools import evaluate


class Runner:
    """Every second trial succeeds."""

    closed = False
    conditions: list[Condition] = []
    choices: list[ModelChoice] = []
    refusals: tuple[str, ...] = ()

    def __init__(self, choice: ModelChoice) -> None:
        Runner.choices.append(choice)
        self.identity = ModelIdentity('nano', 'abcdef0123456789')

    def run(self, condition: Condition):
        Runner.conditions.append(condition)
        for index in range(condition.episodes):
            yield Trial(
                condition.seed + index, 'go', index % 2 == 0, 3.0, (0.01,), (), self.refusals
            )

    def close(self) -> None:
        Runner.closed = True


@pytest.fixture(autouse=True)
def _runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_runs, 'CoreRunner', Runner)
    Runner.closed, Runner.conditions, Runner.choices, Runner.refusals = False, [], [], ()


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args(arguments))


def test_json_is_one_object_with_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run('--task', 'pick', '--episodes', '4', '--seed', '7', '--json') == 0

    summary = json.loads(capsys.readouterr().out)
    assert (summary['n'], summary['successes'], summary['success']) == (4, 2, 0.5)
    assert summary['failed_seeds'] == [8, 10]
    assert summary['model'] == {'name': 'nano', 'sha256': 'abcdef0123456789'}
    assert Runner.closed


def test_text_says_rate_interval_latency_and_model(capsys: pytest.CaptureFixture[str]) -> None:
    run('--task', 'pick', '--episodes', '4', '--mode', 'direct')

    text = capsys.readouterr().out
    assert 'pick direct through core: 2/4 = 0.500' in text
    assert '95 % interval 0.068 to 0.932' in text
    assert 'p50 10.0 ms' in text
    assert 'nano abcdef012345' in text
    assert 'failed seeds' in text


def test_options_become_the_condition() -> None:
    run('--task', 'put', '--episodes', '1', '--ablation', 'swapped', '--held-out', 'all')
    run('--task', 'put', '--episodes', '1', '--distractors', '2', '--light', '0.4')

    first, second = Runner.conditions
    assert (first.ablation, first.held_out, first.mode) == ('swapped', 'all', 'path')
    assert (second.distractors, second.brightness, second.seed) == (2, 0.4, 100_000)


def test_no_episodes_are_refused() -> None:
    with pytest.raises(ConfigurationError, match='--episodes 0: at least 1'):
        run('--task', 'pick', '--episodes', '0')


@pytest.mark.parametrize('option', ['--task', '--mode', '--ablation', '--actor', '--through'])
def test_unknown_choices_name_the_known_ones(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run('--task', 'pick', option, 'nonsense')
    assert 'choose from' in capsys.readouterr().err


def test_a_finished_suite_is_put_together_without_running_anything(tmp_path, capsys) -> None:
    for name, condition in SUITE.items():
        trials = [Trial(0, 'go', True, 3.0, (0.01,))]
        summary = summarise(condition, trials, {'name': 'nano', 'sha256': 'ab'})
        (tmp_path / f'{name}.json').write_text(json.dumps(summary))

    assert run('--suite', str(tmp_path)) == 0

    assert Runner.conditions == []
    assert json.loads((tmp_path / 'results.json').read_text()).keys() == SUITE.keys()
    assert capsys.readouterr().out.count('1/1') == len(SUITE)


def test_a_server_is_the_model_and_acts_in_direct_mode() -> None:
    run('--task', 'pick', '--episodes', '1', '--model', 'http://gpu:8000/act')
    run('--task', 'pick', '--episodes', '1', '--model', 'DIR', '--precision', 'int8-dynamic')

    assert [choice.is_remote for choice in Runner.choices] == [True, False]
    assert [condition.mode for condition in Runner.conditions] == ['direct', 'path']
    assert Runner.choices[1].settings.precision == 'int8-dynamic'


def test_refused_pictures_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    Runner.refusals = ('busy', 'busy')
    run('--task', 'pick', '--episodes', '2')

    assert 'no usable answer to 4 pictures: busy' in capsys.readouterr().out
