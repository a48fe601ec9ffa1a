from __future__ import annotations

import numpy as np
import pytest

from magma_ros.evaluation.sessions.conditions import SimulatedOperator
from magma_ros.evaluation.sessions.simulated_operator import OperatorPolicy, gesture
from magma_ros.sim.expert import expert_delta
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import make_scenario

PERFECT = SimulatedOperator(delay_s=0.0, noise_m=0.0, skill=1.0)
SCENARIO = make_scenario('reach', 11)


def draw(operator: SimulatedOperator, truth, count: int = 200):
    random = np.random.default_rng(0)
    return [gesture(operator, SCENARIO.task, truth, random) for _ in range(count)]


@pytest.fixture
def truth(world):
    world.reset(SCENARIO.scene)
    return world.truth()


def test_a_perfect_hand_does_what_the_expert_does(truth) -> None:
    wanted = expert_delta(SCENARIO.task, truth)

    (got,) = draw(PERFECT, truth, 1)

    assert got.translation_m == pytest.approx(wanted.translation_m)
    assert got.gripper_opening == wanted.gripper_opening


def test_noise_and_attention_are_as_said(truth) -> None:
    wanted = expert_delta(SCENARIO.task, truth)
    gestures = draw(SimulatedOperator(0.0, noise_m=0.004, skill=0.7), truth, 2000)

    made = [one for one in gestures if one is not None]
    errors_m = np.array([one.translation_m - wanted.translation_m for one in made])
    assert len(made) / len(gestures) == pytest.approx(0.7, abs=0.04)
    assert errors_m.std(axis=0) == pytest.approx([0.004] * 3, rel=0.1)
    assert errors_m.mean(axis=0) == pytest.approx([0.0] * 3, abs=0.0005)


def test_who_is_late_takes_longer(world, camera) -> None:
    durations_s = []
    for delay_s in (0.0, 0.4):
        policy = OperatorPolicy(world, SCENARIO.task, SimulatedOperator(delay_s, 0.0, 1.0), 1)
        result = run_episode(world, camera, policy, SCENARIO.task, SCENARIO.scene)
        assert result.success
        durations_s.append(result.duration_s)

    assert durations_s[1] > durations_s[0] + 0.4


def test_the_seed_decides(world, camera) -> None:
    ways = []
    for seed in (1, 1, 2):
        policy = OperatorPolicy(world, SCENARIO.task, SimulatedOperator(noise_m=0.01), seed)
        run_episode(world, camera, policy, SCENARIO.task, SCENARIO.scene, time_limit_s=1.0)
        ways.append(world.truth().tool_m)

    assert (ways[0] == ways[1]).all()
    assert (ways[0] != ways[2]).any()
