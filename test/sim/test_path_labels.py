"""The loop that path mode closes: label, picture, depth, path, motion; noise for a model."""

from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import DeltaChunk, GripperEvent, Observation, PixelTrace
from magma_ros.image.depth_lifting import lift_trace
from magma_ros.image.projection import project
from magma_ros.motion.path_follower import PathFollower
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.sim.path_labels import path_label
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.tasks import CUBE_EDGE_M, TASK_KINDS, Task

NOISE_PX = 3.0


class LabelPolicy:
    """Follows the label of the first picture, drawn with noise."""

    def __init__(self, world, task: Task, seed: int) -> None:
        self._world, self._task = world, task
        self._random = np.random.default_rng(seed)
        self._follower: PathFollower | None = None

    def latency_s(self) -> float:
        return 0.05

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        if self._follower is None:
            label = path_label(self._task, self._world.truth())
            points_px = project(observation.camera, label.points_m)
            points_px += self._random.normal(0, NOISE_PX, points_px.shape)
            trace = PixelTrace(1, points_px[0], points_px, label.events)
            path = lift_trace(trace, observation.read_depth(), observation.camera)
            self._follower = PathFollower(path)
        delta, stamp_ns = self._follower.step(observation.arm), observation.image.stamp_ns
        frame_id = self._world.profile.base_link
        return DeltaChunk((delta,), POLICY_PERIOD_S, stamp_ns, 'measured', frame_id, sequence)


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_a_noisy_label_leads_to_success(world, camera, kind) -> None:
    scenario = make_scenario(kind, 7)
    policy = LabelPolicy(world, scenario.task, seed=7)

    assert run_episode(world, camera, policy, scenario.task, scenario.scene).success


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_contacts_lie_on_surfaces(world, kind) -> None:
    for seed in range(5):
        scenario = make_scenario(kind, seed)
        world.reset(scenario.scene)
        truth = world.truth()
        label = path_label(scenario.task, truth)
        contacts = {*label.events, len(label.points_m) - 1}
        surfaces = [0.0, 0.006, truth.positions_m[scenario.task.target][2] + CUBE_EDGE_M / 2]
        for index in contacts:
            assert min(abs(label.points_m[index][2] - z) for z in surfaces) < 1e-9


@pytest.mark.parametrize(
    ('kind', 'events'),
    [
        ('reach', []),
        ('pick', [GripperEvent.CLOSE]),
        ('put', [GripperEvent.CLOSE, GripperEvent.OPEN]),
        ('push', [GripperEvent.CLOSE]),
    ],
)
def test_the_gripper_events_tell_the_tasks_apart(world, kind, events: list) -> None:
    scenario = make_scenario(kind, 3)
    world.reset(scenario.scene)
    label = path_label(scenario.task, world.truth())

    assert list(label.events.values()) == events
    assert all(index < len(label.points_m) for index in label.events)


def test_with_the_cube_in_hand_only_the_way_to_the_place_is_left(world) -> None:
    scenario = make_scenario('put', 3)
    world.reset(scenario.scene)
    truth = world.truth()
    truth.positions_m[scenario.task.target][:] = truth.tool_m
    held = type(truth)(truth.tool_m, truth.tool_rpy_rad, 0.032, truth.positions_m, truth.yaws_rad)

    label = path_label(scenario.task, held)

    assert list(label.events.values()) == [GripperEvent.OPEN]
    assert scenario.task.destination is not None
    place = truth.positions_m[scenario.task.destination]
    assert label.points_m[-1][:2] == pytest.approx(place[:2])
