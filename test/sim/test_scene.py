from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.sim.instructions import understand
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.scene import (
    PUSH_LANE_M,
    WORKSPACE_X_M,
    WORKSPACE_Y_M,
    Scene,
    Variation,
    random_scene,
    random_task,
)
from magma_ros.sim.tasks import CUBES, TASK_KINDS, Task, push_sign

SEEDS = range(200)
# The open gripper is 74 mm wide, a receptacle 90 mm.
LEAST_M = {('cube', 'cube'): 0.075, ('cube', 'place'): 0.085, ('place', 'place'): 0.095}


def scenes(kind, seeds=SEEDS, variation: Variation | None = None) -> list[tuple[Task, Scene]]:
    drawn = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        task = random_task(kind, random)
        drawn.append((task, random_scene(task, random, variation)))
    return drawn


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_things_stand_in_the_workspace_clear_of_each_other(kind) -> None:
    for _, scene in scenes(kind, variation=Variation(distractors=2)):
        things = [('cube', spot[:2]) for spot in scene.cubes.values()]
        things += [('place', spot) for spot in scene.places.values()]
        for _, (x, y) in things:
            assert WORKSPACE_X_M[0] <= x <= WORKSPACE_X_M[1]
            assert WORKSPACE_Y_M[0] <= y <= WORKSPACE_Y_M[1]
        for (kind_a, spot_a), (kind_b, spot_b) in combinations(things, 2):
            clearance = LEAST_M[min(kind_a, kind_b), max(kind_a, kind_b)]
            assert np.hypot(*np.subtract(spot_a, spot_b)) >= clearance


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_what_the_task_needs_is_there(kind) -> None:
    for task, scene in scenes(kind):
        assert task.target in scene.cubes
        assert len(scene.cubes) >= 2  # never only the target: the sentence must matter
        if task.destination is not None:
            assert task.destination in scene.places
            assert len(scene.places) >= 2


def test_nothing_stands_in_the_way_of_a_push() -> None:
    for task, scene in scenes('push'):
        assert task.direction is not None
        sign = push_sign(task.direction)
        x, y, _ = scene.cubes[task.target]
        others = [s[:2] for name, s in scene.cubes.items() if name != task.target]
        for other_x, other_y in [*others, *scene.places.values()]:
            ahead = (other_y - y) * sign
            assert abs(other_x - x) > 0.075 or ahead >= PUSH_LANE_M or ahead <= -0.105
        assert (
            y * sign
        ) + 0.05 + 0.07 < 0.20  # the end of the push and the gripper are in the box


def test_all_tasks_of_a_kind_occur() -> None:
    drawn = {(task.target, task.direction) for task, _ in scenes('push')}

    assert drawn == {(cube, direction) for cube in CUBES for direction in ('left', 'right')}


def test_distractors_come_when_asked_for() -> None:
    for count in (0, 1, 2):
        for _, scene in scenes('pick', range(20), Variation(distractors=count)):
            assert sum(name.endswith(' can') for name in scene.places) == count


def test_brightness_varies_as_told() -> None:
    values = [s.brightness for _, s in scenes('reach', variation=Variation(brightness=0.25))]

    assert 0.75 <= min(values) < 0.8
    assert 1.2 < max(values) <= 1.25


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_a_scenario_follows_from_its_seed(kind) -> None:
    assert make_scenario(kind, 5) == make_scenario(kind, 5)
    assert make_scenario(kind, 5).scene != make_scenario(kind, 6).scene


@pytest.mark.parametrize('held_out', [False, True])
def test_the_sentence_of_a_scenario_says_its_task(held_out: bool) -> None:
    for seed in range(50):
        for kind in TASK_KINDS:
            scenario = make_scenario(kind, seed, held_out)
            assert understand(scenario.instruction) == scenario.task


def test_a_given_task_is_kept() -> None:
    task = Task('put', 'green cube', destination='white bowl')

    assert make_scenario(task, 3).task is task


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match='"juggle"; tasks are reach, pick, put, push'):
        make_scenario('juggle', 0)
