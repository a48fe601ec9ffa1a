"""The checkpoint that ships with the package does what its card says, on a few unseen scenes."""

import json

import pytest

from magma_ros.evaluation.core_runs import CoreRunner
from magma_ros.evaluation.trials import Condition
from magma_ros.model.weights.checksum import find_damage
from magma_ros.resources import asset_path
from magma_ros.sim.tasks import TASK_KINDS


@pytest.fixture(scope='module')
def runner():
    runner = CoreRunner()
    yield runner
    runner.close()


@pytest.mark.parametrize('task', TASK_KINDS)
def test_path_mode_does_what_the_sentence_says(runner, task):
    trials = list(runner.run(Condition(task, 'path', episodes=4, seed=300_000)))

    assert sum(trial.success for trial in trials) >= 3, [trial.instruction for trial in trials]


def test_another_colour_in_the_sentence_moves_another_cube(runner):
    condition = Condition('pick', 'path', episodes=4, seed=300_000, ablation='swapped')

    assert sum(trial.success for trial in runner.run(condition)) <= 1


def test_without_the_picture_nothing_is_found(runner):
    condition = Condition('pick', 'path', episodes=4, seed=300_000, ablation='blank')

    assert sum(trial.success for trial in runner.run(condition)) <= 1


def test_direct_actions_use_all_seven_dimensions(runner):
    condition = Condition('pick', 'direct', episodes=1, seed=300_000)
    answers = []
    ask = runner.model.generate_action
    runner.model.generate_action = lambda *given: answers.append(ask(*given)) or answers[-1]

    runner.run_trial(condition, 0)

    spread = [len({answer.ids[axis] for answer in answers}) for axis in range(7)]
    assert min(spread[:6]) > 2
    assert spread[6] >= 1


def test_checkpoint_is_whole_and_small_enough_to_ship():
    folder = asset_path('nano')

    assert not find_damage(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 30e6
    assert json.loads((folder / 'config.json').read_text())['name'] == 'magma-nano'


def test_checkpoint_does_not_tell_where_it_was_made():
    for path in asset_path('nano').iterdir():
        assert b'site-packages' not in path.read_bytes(), path.name
