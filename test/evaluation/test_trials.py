from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from magma_ros.evaluation.trials import Condition, Trial, summarise
from magma_ros.sim.instructions import HELD_OUT_PHRASINGS, phrase, understand
from magma_ros.sim.tasks import TASK_KINDS

CONDITION = Condition('put', 'path', episodes=20)


def is_held_out(scenario) -> bool:
    templates = HELD_OUT_PHRASINGS[scenario.task.kind]
    return scenario.instruction in {phrase(scenario.task, template) for template in templates}


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_mixed_alternates_between_trained_and_held_out(kind) -> None:
    condition = replace(CONDITION, task=kind)

    assert [is_held_out(condition.scenario(i)) for i in range(6)] == [False, True] * 3


@pytest.mark.parametrize(('held_out', 'expected'), [('all', True), ('none', False)])
def test_all_or_none_held_out(held_out, expected: bool) -> None:
    condition = replace(CONDITION, held_out=held_out)

    assert {is_held_out(condition.scenario(i)) for i in range(6)} == {expected}


def test_seeds_count_up_from_the_first() -> None:
    assert [CONDITION.scenario(i).seed for i in range(3)] == [100_000, 100_001, 100_002]


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_swapped_changes_the_sentence_and_nothing_else(kind) -> None:
    plain = replace(CONDITION, task=kind)
    swapped = replace(plain, ablation='swapped')
    for index in range(8):
        before, after = plain.scenario(index), swapped.scenario(index)
        assert (after.task, after.scene, after.seed) == (before.task, before.scene, before.seed)
        asked = understand(after.instruction)
        assert asked.target != before.task.target
        assert asked.target in after.scene.cubes
        assert replace(asked, target=before.task.target) == before.task


def test_the_blank_ablation_leaves_the_scenario_alone() -> None:
    assert replace(CONDITION, ablation='blank').scenario(3) == CONDITION.scenario(3)


def test_light_and_distractors_reach_the_scene() -> None:
    busy = replace(CONDITION, distractors=2, brightness=0.5)
    scenes = [busy.scenario(i).scene for i in range(20)]

    assert all(sum(name.endswith(' can') for name in scene.places) == 2 for scene in scenes)
    assert np.ptp([scene.brightness for scene in scenes]) > 0.4


def test_the_summary_counts_times_and_names() -> None:
    trials = [
        Trial(100_000, 'a', True, 5.0, (0.010, 0.020)),
        Trial(100_001, 'b', False, 25.0, (0.030,), ('step',)),
        Trial(100_002, 'c', True, 7.0, (0.040,)),
    ]

    summary = summarise(CONDITION, trials, {'name': 'nano', 'sha256': 'abc'})

    assert (summary['n'], summary['successes'], summary['failed_seeds']) == (3, 2, [100_001])
    assert summary['success'] == pytest.approx(2 / 3)
    low, high = summary['interval_95']
    assert low < 2 / 3 < high
    assert summary['latency_ms'] == {'p50': 25.0, 'p95': pytest.approx(38.5)}
    assert summary['mean_duration_s'] == 6.0  # of the successes
    assert summary['model'] == {'name': 'nano', 'sha256': 'abc'}
    assert (summary['task'], summary['mode'], summary['seed']) == ('put', 'path', 100_000)
    assert {'ablation', 'through', 'actor', 'held_out', 'distractors', 'brightness'} <= set(
        summary
    )
    assert json.loads(json.dumps(summary))['success'] == summary['success']


def test_a_summary_of_failures_has_no_duration() -> None:
    summary = summarise(CONDITION, [Trial(1, 'a', False, 9.0, ())], {'name': '', 'sha256': ''})

    assert summary['mean_duration_s'] is None
    assert summary['latency_ms']['p50'] == 0.0
