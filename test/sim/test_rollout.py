from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, Observation
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.sim.rollout import CAMERA_DELAY_S, CONTROL_PERIOD_S, run_episode
from magma_ros.sim.scenario import make_scenario


@dataclass
class Upwards:
    """Rises with every chunk; ``latency`` is what it claims to take."""

    frame_id: str
    latency: float = 0.0
    stamps_s: list[float] = field(default_factory=list)

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        stamp_ns = observation.image.stamp_ns
        self.stamps_s.append(stamp_ns / 1e9)
        delta = EndEffectorDelta(np.array([0.0, 0.0, 0.02]), np.zeros(3), 1.0)
        return DeltaChunk((delta,), POLICY_PERIOD_S, stamp_ns, 'measured', self.frame_id, sequence)

    def latency_s(self) -> float:
        return self.latency


def run(world, camera, policy, limit_s: float):
    scenario, heights = make_scenario('put', 1), []
    result = run_episode(
        world,
        camera,
        policy,
        scenario.task,
        scenario.scene,
        time_limit_s=limit_s,
        on_tick=lambda _: heights.append(world.truth().tool_m[2]),
    )
    return result, np.array(heights) - scenario.scene.start_m[2]


def test_inference_time_is_charged(world, camera) -> None:
    latency = 0.3
    _, risen = run(world, camera, Upwards(world.profile.base_link, latency), 1.0)

    ready_tick = round((CAMERA_DELAY_S + latency) / CONTROL_PERIOD_S)
    assert np.abs(risen[:ready_tick]).max() < 1e-3
    assert risen[ready_tick + 15] > 0.003


@pytest.mark.parametrize(('latency', 'period'), [(0.05, 0.2), (0.3, 0.3)])
def test_a_slow_policy_looks_less_often(world, camera, latency: float, period: float) -> None:
    policy = Upwards(world.profile.base_link, latency)
    run(world, camera, policy, 1.5)

    assert np.diff(policy.stamps_s) == pytest.approx(period, abs=CONTROL_PERIOD_S + 1e-9)


def test_the_same_episode_runs_the_same_way_twice(world, camera) -> None:
    _, first = run(world, camera, Upwards(world.profile.base_link), 1.0)
    _, second = run(world, camera, Upwards(world.profile.base_link), 1.0)

    assert first.tolist() == second.tolist()
    assert len(first) == 50


def test_a_policy_without_an_answer_leaves_the_arm_at_rest(world, camera) -> None:
    class Silent(Upwards):
        def act(self, observation: Observation, sequence: int) -> None:
            return None

    result, risen = run(world, camera, Silent(world.profile.base_link), 1.0)

    assert not result.success
    assert np.abs(risen).max() < 1e-3
