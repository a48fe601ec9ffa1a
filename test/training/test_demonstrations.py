from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.tasks import CUBES, RECEPTACLES, Task
from magma_ros.training.demonstrations import LABELS_PER_FRAME, collect, sensible_tasks
from magma_ros.training.frames import (
    MAX_PATH_POINTS,
    NO_EVENT,
    PRESENCE,
    Demonstrations,
    task_from_indices,
)

SEEDS = range(1001, 1003)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('demonstrations')
    collect(SEEDS, folder)
    return folder


@pytest.fixture(scope='module')
def data(folder: Path) -> Demonstrations:
    return Demonstrations.load(folder)


def test_every_frame_has_all_its_labels(data: Demonstrations) -> None:
    n = len(data.images)

    assert n > 20
    assert data.images.shape == (n, 256, 256, 3)
    assert data.images.dtype == np.uint8
    assert data.states.shape == (n, 7)
    assert data.places.shape == (n, len(PRESENCE) + 1, 2)
    assert data.tasks.shape == (n, LABELS_PER_FRAME, 3)
    assert data.actions.shape == (n, LABELS_PER_FRAME, 7)
    assert data.paths.shape == (n, LABELS_PER_FRAME, MAX_PATH_POINTS, 2)
    assert set(data.episodes) == set(SEEDS)


def test_labels_are_in_their_ranges(data: Demonstrations) -> None:
    assert np.abs(data.actions).max() <= 1.0
    assert set(np.unique(data.actions[..., 6])) <= {0.0, 1.0}
    present = ~np.isnan(data.places)
    assert ((data.places[present] >= 0) & (data.places[present] < 1)).all()
    assert data.paths.max() <= 255
    ends = (data.paths[..., 0] >= 0).sum(axis=-1)
    assert ends.min() >= 2  # a path has two points at least
    beyond = np.arange(MAX_PATH_POINTS) >= ends[..., None]
    assert (data.events[beyond] == NO_EVENT).all()


def test_the_first_label_is_the_task_of_the_episode(data: Demonstrations) -> None:
    for seed in SEEDS:
        rows = data.tasks[data.episodes == seed, 0]
        assert (rows == rows[0]).all()


def test_places_are_where_things_are_in_the_picture(data: Demonstrations) -> None:
    first = data.places[0] * 256  # nothing hides a cube yet
    present = [row for row in range(len(CUBES)) if np.isfinite(first[row]).all()]
    assert len(present) >= 2
    for channel in present:  # red, green and blue, in the order of the channels
        x, y = first[channel].astype(int)
        assert data.images[0, y, x].argmax() == channel


def test_the_same_seeds_give_the_same_data(folder: Path, data: Demonstrations) -> None:
    collect(SEEDS, folder / 'again')
    again = Demonstrations.load(folder / 'again')

    for name in Demonstrations.FIELDS:
        assert np.array_equal(getattr(data, name), getattr(again, name), equal_nan=True), name
    assert np.array_equal(data.images, again.images)


def test_the_note_says_what_was_collected(folder: Path, data: Demonstrations) -> None:
    note = json.loads((folder / 'note.json').read_text())

    assert note['seeds'] == [SEEDS.start, SEEDS.stop]
    assert note['frames'] == len(data.images)
    assert 0 <= note['successes'] <= len(SEEDS)
    assert note['student'] is False


def truth_with(world, held: bool):
    world.reset(make_scenario('put', 4).scene)
    truth = world.truth()
    target = next(name for name in CUBES if truth.positions_m[name][0] > 0)
    if held:
        truth.positions_m[target][:] = truth.tool_m
        truth = type(truth)(
            truth.tool_m, truth.tool_rpy_rad, 0.032, truth.positions_m, truth.yaws_rad
        )
    return truth, target


@pytest.mark.parametrize('held', [False, True])
def test_other_labels_make_sense_in_the_picture(world, held: bool) -> None:
    truth, target = truth_with(world, held)
    random, own = np.random.default_rng(0), Task('pick', target)

    drawn = [sensible_tasks(own, truth, random) for _ in range(30)]

    assert all(tasks[0] == own and len(tasks) == LABELS_PER_FRAME for tasks in drawn)
    others = {task for tasks in drawn for task in tasks[1:]}
    for task in others:
        for thing in filter(None, (task.target, task.destination)):
            assert truth.positions_m[thing][0] > 0
    kinds = {task.kind for task in others}
    assert kinds == ({'pick', 'put'} if held else {'reach', 'pick', 'put', 'push'})
    if held:
        assert {task.target for task in others} == {target}


def test_indices_give_the_task_back() -> None:
    assert task_from_indices(2, 1, 2) == Task('put', CUBES[1], destination=RECEPTACLES[2])
    assert task_from_indices(3, 0, 1) == Task('push', CUBES[0], direction='right')
