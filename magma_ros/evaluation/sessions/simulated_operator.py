"""The scripted expert as a person would be at the stick: late, unsteady, not always attentive."""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, Observation
from magma_ros.evaluation.sessions.conditions import SimulatedOperator
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.sim.expert import expert_delta
from magma_ros.sim.tasks import Task, Truth
from magma_ros.sim.world import World


def gesture(
    operator: SimulatedOperator, task: Task, truth: Truth, random: np.random.Generator
) -> EndEffectorDelta | None:
    """What the hand does about what the eye sees; None in a moment that is let pass.

    Args:
        operator: how good a hand.
        task: what is to be done.
        truth: what is seen.
        random: of the noise.
    """
    is_attentive = random.random() < operator.skill
    noise_m = random.normal(0.0, operator.noise_m, 3)
    if not is_attentive:
        return None
    delta = expert_delta(task, truth)
    return EndEffectorDelta(
        delta.translation_m + noise_m, delta.rotation_vector_rad, delta.gripper_opening
    )


class OperatorPolicy:
    """A simulated operator as the policy of a rollout; the delay is charged like inference."""

    def __init__(self, world: World, task: Task, operator: SimulatedOperator, seed: int) -> None:
        self._world, self._task, self._operator = world, task, operator
        self._random = np.random.default_rng((seed, 5))

    def act(self, observation: Observation, sequence: int) -> DeltaChunk | None:
        """The gesture that answers what is there now."""
        delta = gesture(self._operator, self._task, self._world.truth(), self._random)
        if delta is None:
            return None
        stamp_ns, base = observation.image.stamp_ns, self._world.profile.base_link
        return DeltaChunk(
            (delta,), POLICY_PERIOD_S, stamp_ns, 'measured', base, sequence, 'teleop'
        )

    def latency_s(self) -> float:
        """From what is seen to what the hand does."""
        return self._operator.delay_s
