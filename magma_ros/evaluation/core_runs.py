"""Runs the trials of a condition through the core: no ROS, faster than real time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, Observation
from magma_ros.evaluation.expert_path import ExpertPath
from magma_ros.evaluation.trials import Condition, Trial
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.expert import expert_delta
from magma_ros.sim.model_policy import ModelPolicy
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.tasks import Task
from magma_ros.sim.world import World


class CoreRunner:
    """One simulated table and one model, for any number of conditions."""

    def __init__(self, choice: ModelChoice | None = None, arm: str = 'wx250s') -> None:
        self._acting = load_acting_model(choice or ModelChoice(), prepare_image)
        self.model, self.statistics = self._acting.model, self._acting.statistics
        self.identity = self.model.identity
        self.world = World(load_arm_profile(arm))
        self.camera = SimCamera(self.world)

    def run(self, condition: Condition) -> Iterator[Trial]:
        """One trial after the other."""
        for index in range(condition.episodes):
            yield self.run_trial(condition, index)

    def run_trial(self, condition: Condition, index: int) -> Trial:
        """Trial ``index`` of a condition."""
        scenario = condition.scenario(index)
        policy = self._policy(condition, scenario.task, scenario.seed)
        if isinstance(policy, ModelPolicy):
            policy.begin(scenario.instruction)
        result = run_episode(self.world, self.camera, policy, scenario.task, scenario.scene)
        trial = Trial(
            scenario.seed,
            scenario.instruction,
            result.success,
            result.duration_s,
            (),
            result.clipped,
        )
        if not isinstance(policy, ModelPolicy):
            return trial
        return replace(
            trial, latencies_s=tuple(policy.latencies_s), refusals=tuple(policy.refusals)
        )

    def close(self) -> None:
        """Free the renderer and leave the server, if there is one."""
        self.camera.close()
        self._acting.close()

    def _policy(
        self, condition: Condition, task: Task, seed: int
    ) -> ModelPolicy | RandomPolicy | ExpertPolicy:
        frame_id = self.world.profile.base_link
        if condition.actor == 'random':
            return RandomPolicy(frame_id, seed)
        if condition.actor == 'expert':
            return ExpertPolicy(self.world, task)
        if condition.actor == 'expert-path':
            path = ExpertPath(self.world, self.camera, task)
            return ModelPolicy(path, None, condition.mode, frame_id)
        return ModelPolicy(
            self.model,
            self.statistics,
            condition.mode,
            frame_id,
            blank_picture=condition.ablation == 'blank',
        )


class RandomPolicy:
    """Uniform actions: what succeeds by chance."""

    def __init__(self, frame_id: str, seed: int) -> None:
        self._frame_id = frame_id
        self._random = np.random.default_rng((seed, 3))
        self._statistics = load_statistics('magma_nano_sim')

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        """Seven uniform numbers."""
        span = self._statistics.q99[:6] * self._random.uniform(-1, 1, 6)
        delta = EndEffectorDelta(span[:3], span[3:], float(self._random.integers(2)))
        return _chunk(delta, observation, self._frame_id, sequence, 'random')

    def latency_s(self) -> float:
        """None to speak of."""
        return 0.0


class ExpertPolicy:
    """The scripted expert, who sees the truth: what the tasks and the motion allow at best."""

    def __init__(self, world: World, task: Task) -> None:
        self._world, self._task = world, task

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        """The expert's delta on the true state."""
        delta = expert_delta(self._task, self._world.truth())
        return _chunk(delta, observation, self._world.profile.base_link, sequence, 'expert')

    def latency_s(self) -> float:
        """About what magma-nano takes."""
        return 0.03


def _chunk(
    delta: EndEffectorDelta, observation: Observation, frame_id: str, sequence: int, source: str
) -> DeltaChunk:
    stamp_ns = observation.image.stamp_ns
    return DeltaChunk((delta,), POLICY_PERIOD_S, stamp_ns, 'measured', frame_id, sequence, source)
