"""The runner with a scripted model instead of a checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from magma_ros.evaluation import core_runs
from magma_ros.evaluation.core_runs import CoreRunner
from magma_ros.evaluation.trials import Condition
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.acting_model import ActingModel
from magma_ros.model.backends.scripted_model import ScriptedModel

CONDITION = Condition('reach', 'direct', episodes=2, actor='expert')


class Downwards(ScriptedModel):
    """Presses down for ever: a model that never succeeds."""

    def __init__(self) -> None:
        super().__init__([[0.0, 0.0, -0.2, 0.0, 0.0, 0.0, 1.0]])
        self.sentences: list[str] = []

    def generate_action(self, image_rgb, instruction, state):
        self.sentences.append(instruction)
        return super().generate_action(image_rgb, instruction, state)


@pytest.fixture(scope='module')
def model() -> Downwards:
    return Downwards()


@pytest.fixture(scope='module')
def runner(model: Downwards):
    with pytest.MonkeyPatch.context() as patch:
        acting = ActingModel(model, load_statistics('magma_nano_sim'))
        patch.setattr(core_runs, 'load_acting_model', lambda choice, prepare: acting)
        runner = CoreRunner()
    yield runner
    runner.close()


def test_trials_come_in_the_order_of_their_seeds(runner: CoreRunner) -> None:
    trials = list(runner.run(CONDITION))

    assert [trial.seed for trial in trials] == [100_000, 100_001]
    assert all(trial.success for trial in trials)
    assert all(trial.latencies_s == () for trial in trials)  # the expert is no model


def test_a_trial_can_be_repeated(runner: CoreRunner) -> None:
    assert runner.run_trial(CONDITION, 1) == runner.run_trial(CONDITION, 1)


def test_chance_follows_from_the_seed(runner: CoreRunner) -> None:
    chance = replace(CONDITION, actor='random')

    assert runner.run_trial(chance, 0) == runner.run_trial(chance, 0)


def test_the_model_hears_the_sentence_of_its_trial(
    runner: CoreRunner, model: Downwards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(core_runs.run_episode.__globals__['TIME_LIMIT_S'], 'reach', 1.0)
    model.sentences.clear()

    trial = runner.run_trial(replace(CONDITION, actor='model', ablation='swapped'), 0)

    assert set(model.sentences) == {trial.instruction}
    assert len(trial.latencies_s) == len(model.sentences) >= 4
    assert min(trial.latencies_s) > 0
    assert not trial.success
    assert trial.duration_s == pytest.approx(1.0)


def test_path_mode_succeeds_with_the_path_of_the_expert(runner: CoreRunner) -> None:
    trial = runner.run_trial(replace(CONDITION, mode='path', actor='expert-path'), 0)

    assert trial.success
    assert trial.refusals == ()


def test_the_path_of_the_expert_gives_no_actions(runner: CoreRunner, monkeypatch) -> None:
    monkeypatch.setitem(core_runs.run_episode.__globals__['TIME_LIMIT_S'], 'reach', 0.3)

    trial = runner.run_trial(replace(CONDITION, actor='expert-path'), 0)

    assert not trial.success
    assert '--mode path' in trial.refusals[0]
