"""Trials through the core: no ROS, faster than real time, layouts restored exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.conditions import (
    Baseline,
    Condition,
    Policy,
    SimulatedOperator,
    Teleop,
)
from magma_ros.evaluation.sessions.layouts import SceneLayouts
from magma_ros.evaluation.sessions.sealing import Key, SealedCondition
from magma_ros.evaluation.sessions.session_file import Session
from magma_ros.evaluation.sessions.session_folder import SessionFolder
from magma_ros.evaluation.sessions.simulated_operator import OperatorPolicy
from magma_ros.evaluation.sessions.trial_files import save_motion, save_picture
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.sessions.trial_runner import Attempt
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.backends.acting_model import ActingModel, ModelChoice, load_acting_model
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.instructions import understand
from magma_ros.sim.model_policy import ModelPolicy
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import Scenario, make_scenario
from magma_ros.sim.scene import Variation
from magma_ros.sim.world import World

# Rate limits act in every trial; what is worth counting is everything else.
RATE_LIMITS = ('speed', 'acceleration', 'jerk', 'step')


class CoreTrialRunner:
    """One simulated table for all conditions; see ``trial_runner.TrialRunner``.

    Every model is loaded before the first trial, so that all trials begin alike.

    Raises:
        ConfigurationError: a model is not the one that was there when the session was made.
        MagmaError: a model cannot be loaded.
    """

    def __init__(self, folder: SessionFolder, session: Session, key: Key) -> None:
        self._folder, self._session = folder.path, session
        self._conditions: dict[str, Condition] = {
            code: session.conditions[one.name] for code, one in key.conditions.items()
        }
        self._models: dict[ModelChoice, ActingModel] = {}
        for code, condition in self._conditions.items():
            if isinstance(condition, (Policy, Baseline)):
                self._load(condition.choice, key.conditions[code])
        self._world = World(load_arm_profile(session.arm))
        self._camera = SimCamera(self._world)

    def run(self, attempt: Attempt) -> TrialRecord:
        """One episode."""
        planned, recorded = attempt.planned, self._session.record
        scenario = scenario_of(self._session, planned.task, planned.layout)
        policy = self._policy(planned.code, scenario)
        way: list[tuple[float, FloatArray]] = []
        result = run_episode(
            self._world,
            self._camera,
            policy,
            scenario.task,
            scenario.scene,
            on_tick=lambda now_s: way.append((now_s, self._tool_m())),
        )
        latencies_ms = 1000.0 * np.array(getattr(policy, 'latencies_s', ()))
        record = attempt.record(
            success=result.success,
            duration_s=result.duration_s,
            ended='success' if result.success else 'time',
            safety_events=tuple(name for name in result.clipped if name not in RATE_LIMITS),
        )
        if latencies_ms.size:
            p50, p95 = np.percentile(latencies_ms, (50, 95))
            record = replace(record, latency_p50_ms=float(p50), latency_p95_ms=float(p95))
        if recorded.motion:
            times_s, positions_m = zip(*way, strict=True)
            motion = save_motion(self._folder, attempt.stem, times_s, positions_m)
            record = replace(record, motion=motion)
        if recorded.picture:
            picture = save_picture(self._folder, attempt.stem, self._camera.render(0).rgb)
            record = replace(record, thumbnail=picture)
        return record

    def close(self) -> None:
        """Free the renderer, leave the servers."""
        self._camera.close()
        for acting in self._models.values():
            acting.close()

    def _tool_m(self) -> FloatArray:
        return self._world.arm_state(0).pose_gripper_in_base.translation_m

    def _policy(self, code: str, scenario: Scenario) -> ModelPolicy | OperatorPolicy:
        condition = self._conditions[code]
        if isinstance(condition, SimulatedOperator):
            return OperatorPolicy(self._world, scenario.task, condition, scenario.seed)
        assert not isinstance(condition, Teleop)  # the session file refuses it
        acting = self._models[condition.choice]
        base = self._world.profile.base_link
        policy = ModelPolicy(acting.model, acting.statistics, condition.mode, base)
        policy.begin(scenario.instruction)
        return policy

    def _load(self, choice: ModelChoice, sealed: SealedCondition) -> None:
        if choice not in self._models:
            self._models[choice] = load_acting_model(choice, prepare_image)
        if self._models[choice].model.identity.sha256 != sealed.model_sha256:
            raise ConfigurationError(
                'a model is not the one of magma session new: what comes now could not be '
                'compared with what was. Put the old one back, or make a new session'
            )


def scenario_of(session: Session, task: str, layout: str) -> Scenario:
    """What stands where in the simulation, and what is said: the same for every condition."""
    layouts = session.layouts
    assert isinstance(layouts, SceneLayouts)
    wanted = session.tasks[task]
    variation = Variation(brightness=layouts.brightness, distractors=layouts.distractors)
    what = understand(wanted.instruction) if wanted.instruction else wanted.kind
    scenario = make_scenario(what, int(layout), layouts.held_out, variation)  # type: ignore[arg-type]
    return replace(scenario, instruction=wanted.instruction or scenario.instruction)
