from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magma_ros.evaluation.core_runs import ExpertPolicy, RandomPolicy
from magma_ros.motion.approach import STEP_M, STEP_RAD
from magma_ros.rotations import euler_from_rotation_vector
from magma_ros.sim.expert import expert_delta, is_holding
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.tasks import CUBES, RECEPTACLES, TASK_KINDS, TIME_LIMIT_S, Task, Truth

TASKS = [
    Task('reach', 'red cube'),
    Task('pick', 'red cube'),
    Task('put', 'red cube', destination='white bowl'),
    Task('push', 'red cube', direction='left'),
]


def random_truth(seed: int) -> Truth:
    random = np.random.default_rng(seed)
    spots = random.uniform([0.19, -0.15, 0.0], [0.36, 0.15, 0.0], (6, 3))
    return Truth(
        tool_m=random.uniform([0.19, -0.15, 0.02], [0.36, 0.15, 0.2]),
        tool_rpy_rad=random.normal(0, [0.1, 0.1, 0.6]),
        finger_gap_m=float(random.uniform(0.014, 0.058)),
        positions_m=dict(zip(CUBES + RECEPTACLES, spots + [0.0, 0.0, 0.016], strict=True)),
        yaws_rad={name: float(random.uniform(-3, 3)) for name in CUBES},
    )


@pytest.mark.parametrize('kind', TASK_KINDS)
def test_the_expert_succeeds(world, camera, kind) -> None:
    scenario = make_scenario(kind, 7)
    policy = ExpertPolicy(world, scenario.task)

    result = run_episode(world, camera, policy, scenario.task, scenario.scene)

    assert result.success
    assert result.duration_s < 0.5 * TIME_LIMIT_S[kind]
    assert result.steps == pytest.approx(result.duration_s / 0.2, abs=1)


def test_chance_does_not_put_things_on_plates(world, camera) -> None:
    scenario = make_scenario('put', 7)
    policy = RandomPolicy(world.profile.base_link, 7)

    result = run_episode(world, camera, policy, scenario.task, scenario.scene, time_limit_s=4.0)

    assert not result.success
    assert result.duration_s == pytest.approx(4.0)


@pytest.mark.parametrize('task', TASKS, ids=lambda task: task.kind)
def test_deltas_fit_the_action_bins(task: Task) -> None:
    for seed in range(100):
        delta = expert_delta(task, random_truth(seed))
        assert np.abs(delta.translation_m).max() <= STEP_M + 1e-12
        euler = euler_from_rotation_vector(delta.rotation_vector_rad)
        assert np.abs(euler).max() <= STEP_RAD + 1e-9
        assert delta.gripper_opening in (0.0, 1.0)


@pytest.mark.parametrize('task', TASKS, ids=lambda task: task.kind)
def test_the_expert_has_no_memory(task: Task) -> None:
    first = expert_delta(task, random_truth(3))
    expert_delta(task, random_truth(4))
    again = expert_delta(task, random_truth(3))

    assert first.translation_m.tolist() == again.translation_m.tolist()
    assert first.rotation_vector_rad.tolist() == again.rotation_vector_rad.tolist()


def test_low_and_far_away_it_rises_before_it_moves_sideways() -> None:
    truth = random_truth(0)
    truth.positions_m['red cube'][:] = [0.3, 0.1, 0.016]

    low = expert_delta(TASKS[1], replace(truth, tool_m=np.array([0.25, -0.1, 0.03])))
    high = expert_delta(TASKS[1], replace(truth, tool_m=np.array([0.25, -0.1, 0.08])))

    assert low.translation_m[:2] == pytest.approx([0.0, 0.0])
    assert low.translation_m[2] > 0.04
    assert high.translation_m[:2] == pytest.approx([0.045, 0.05])


def test_holding_needs_the_gap_of_a_cube_and_the_cube_in_it() -> None:
    truth = random_truth(0)
    at_cube = replace(truth, tool_m=truth.positions_m['red cube'] + 0.005, finger_gap_m=0.032)

    assert is_holding(at_cube, 'red cube')
    assert not is_holding(replace(at_cube, finger_gap_m=0.058), 'red cube')
    assert not is_holding(replace(at_cube, finger_gap_m=0.014), 'red cube')
    assert not is_holding(replace(at_cube, tool_m=at_cube.tool_m + 0.05), 'red cube')


@pytest.mark.parametrize('yaw_rad', [0.0, np.pi / 8, np.pi / 4])
def test_a_cube_is_picked_however_it_lies(world, camera, yaw_rad) -> None:
    scenario = make_scenario('pick', 7)
    x_m, y_m, _ = scenario.scene.cubes[scenario.task.target]
    cubes = {**scenario.scene.cubes, scenario.task.target: (x_m, y_m, yaw_rad)}
    scene = replace(scenario.scene, cubes=cubes)

    assert run_episode(
        world, camera, ExpertPolicy(world, scenario.task), scenario.task, scene
    ).success
