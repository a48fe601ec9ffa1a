"""Collects labelled frames: the expert acts, or a student whom it corrects (DAgger).

Every frame carries labels for several sentences that make sense in it, not only for the one that
was acted on: the same picture with different words and answers is what ties words to places.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from magma_ros.data_types import (
    ArmState,
    CameraModel,
    DeltaChunk,
    EndEffectorDelta,
    GripperEvent,
    Observation,
)
from magma_ros.image.image_preparation import resize_for_robot
from magma_ros.image.projection import project
from magma_ros.model.action_scaling import decode_delta, encode_delta, load_statistics
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.text.state_text import quantise_state, state_values
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.expert import expert_delta, is_holding
from magma_ros.sim.instructions import random_sentence
from magma_ros.sim.model_policy import ModelPolicy
from magma_ros.sim.path_labels import path_label
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scene import TRAINING_VARIATION, Variation, random_scene, random_task
from magma_ros.sim.tasks import (
    CUBES,
    DIRECTIONS,
    RECEPTACLES,
    TIME_LIMIT_S,
    Task,
    TaskKind,
    Truth,
)
from magma_ros.sim.world import World
from magma_ros.training.frames import (
    CLOSE,
    MAX_PATH_POINTS,
    OPEN,
    PRESENCE,
    Demonstrations,
    task_indices,
)

LABELS_PER_FRAME = 5
TASK_MIX: dict[TaskKind, float] = {'reach': 0.12, 'pick': 0.28, 'put': 0.42, 'push': 0.18}


def sensible_tasks(task: Task, truth: Truth, random: np.random.Generator) -> list[Task]:
    """The task of the episode and others that make sense too, LABELS_PER_FRAME in all."""
    cubes = [name for name in CUBES if truth.positions_m[name][0] > 0]
    places = [name for name in RECEPTACLES if truth.positions_m[name][0] > 0]
    held = [name for name in cubes if is_holding(truth, name)]
    if held:
        options = [Task('pick', held[0])] + 2 * [
            Task('put', held[0], destination=p) for p in places
        ]
    else:
        options = [each for cube in cubes for each in (Task('reach', cube), Task('pick', cube))]
        options += [Task('put', cube, destination=p) for cube in cubes for p in places]
        options += [Task('push', cube, direction=d) for cube in cubes for d in DIRECTIONS]
    chosen = [options[i] for i in random.integers(len(options), size=LABELS_PER_FRAME - 1)]
    return [task, *chosen]


class Recorder:
    """A policy that records the expert's labels while the noisy expert, or a student, acts.

    Args:
        world: the simulated table.
        task: what the episode is about.
        seed: of the episode; noise has a generator of its own, so that scenes do not depend on it.
        noise: scale of the Gaussian noise on what the expert does (never on the labels).
        student: acts instead of the expert, except in a share ``expert_share`` of the steps.
        expert_share: 0..1.
    """

    def __init__(
        self,
        world: World,
        task: Task,
        seed: int,
        noise: float,
        student: ModelPolicy | None = None,
        expert_share: float = 0.0,
    ) -> None:
        self._world, self._task, self._seed = world, task, seed
        self._random = np.random.default_rng((seed, 1))
        self._statistics = load_statistics(MAGMA_NANO.statistics_key)
        self._noise, self._student, self._expert_share = noise, student, expert_share
        self._burst: tuple[int, np.ndarray, bool] = (0, np.zeros(3), False)
        self.rows: list[tuple[np.ndarray, ...]] = []

    def latency_s(self) -> float:
        """Drawn anew for each step: the student must cope with any."""
        return float(self._random.uniform(0.02, 0.12))

    def act(self, observation: Observation, sequence: int) -> DeltaChunk | None:
        """Label this frame, then act."""
        truth = self._world.truth()
        self.rows.append(self._label(observation, truth))
        if self._student is not None and self._random.random() >= self._expert_share:
            return self._student.act(observation, sequence)
        delta = self._with_noise(expert_delta(self._task, truth))
        return DeltaChunk(
            (delta,),
            POLICY_PERIOD_S,
            observation.image.stamp_ns,
            'measured',
            self._world.profile.base_link,
            sequence,
            'expert',
        )

    def _with_noise(self, delta: EndEffectorDelta) -> EndEffectorDelta:
        action = encode_delta(delta, self._statistics)
        left, push, flip = self._burst
        if left == 0 and self._random.random() < 0.05:
            left = int(self._random.integers(1, 4))
            push, flip = self._random.normal(0, 0.4, 3), bool(self._random.random() < 0.15)
        if left > 0 and self._noise > 0:
            action[:3] = push
            action[6] = 1 - action[6] if flip else action[6]
        self._burst = (max(0, left - 1), push, flip)
        action[:6] += self._random.normal(0, self._noise, 6)
        return decode_delta(np.clip(action, -1.0, 1.0), self._statistics)

    def _label(self, observation: Observation, truth: Truth) -> tuple[np.ndarray, ...]:
        camera = observation.camera
        tasks = sensible_tasks(self._task, truth, self._random)
        places = np.full((len(PRESENCE) + 1, 2), np.nan, np.float32)
        spots = [truth.positions_m[name] for name in PRESENCE] + [truth.tool_m]
        for row, spot in enumerate(spots):
            if spot[0] > 0:
                share = project(camera, spot)[0] / (camera.width_px, camera.height_px)
                if (share >= 0).all() and (share < 1).all():
                    places[row] = share
        paths = np.full((len(tasks), MAX_PATH_POINTS, 2), -1, np.int16)
        events = np.zeros((len(tasks), MAX_PATH_POINTS), np.int8)
        for row, task in enumerate(tasks):
            label = path_label(task, truth)
            paths[row, : len(label.points_m)] = on_grid(camera, label.points_m)
            for index, event in label.events.items():
                events[row, index] = CLOSE if event is GripperEvent.CLOSE else OPEN
        return (
            resize_for_robot(observation.image.rgb),
            np.array(_state_levels(observation.arm), np.uint8),
            places,
            np.array([truth.yaws_rad[name] for name in CUBES], np.float32),
            np.array([task_indices(task) for task in tasks], np.int8),
            np.stack(
                [encode_delta(expert_delta(t, truth), self._statistics) for t in tasks]
            ).astype(np.float32),
            on_grid(camera, truth.tool_m)[0],
            paths,
            events,
            np.array(self._seed, np.int32),
        )


def _state_levels(arm: ArmState) -> list[int]:
    assert MAGMA_NANO.state is not None
    return quantise_state(
        state_values(arm.pose_gripper_in_base, arm.gripper_opening), MAGMA_NANO.state
    )


def on_grid(camera: CameraModel, points_m: np.ndarray) -> np.ndarray:
    """Points in the base frame -> (n, 2) int16 on the 256 x 256 grid, clipped to it."""
    share = project(camera, points_m) / (camera.width_px, camera.height_px)
    return np.clip(np.floor(256 * share), 0, 255).astype(np.int16)


def collect(
    seeds: range,
    folder: Path,
    student: ModelPolicy | None = None,
    kinds: dict[TaskKind, float] | None = None,
    expert_share_limit: float = 0.0,
) -> dict[str, object]:
    """Roll out one episode per seed and save all frames; returns the note saved beside them."""
    world = World(load_arm_profile('wx250s'))
    camera = SimCamera(world)
    mix = kinds or TASK_MIX
    rows: list[tuple[np.ndarray, ...]] = []
    successes = 0
    for seed in seeds:
        random = np.random.default_rng(seed)
        kind = random.choice(np.array(list(mix)), p=np.array(list(mix.values())))
        task = random_task(str(kind), random)  # type: ignore[arg-type]
        variation = (
            TRAINING_VARIATION
            if random.random() < 0.6
            else Variation(brightness=0.25, distractors=2)
        )
        recorder = Recorder(
            world,
            task,
            seed,
            noise=float(random.choice([0.0, 0.08, 0.18])) if student is None else 0.0,
            student=student,
            expert_share=float(random.uniform(0, expert_share_limit)),
        )
        if student is not None:
            student.begin(random_sentence(task, random))
        scene, limit_s = random_scene(task, random, variation), 0.6 * TIME_LIMIT_S[task.kind]
        result = run_episode(world, camera, recorder, task, scene, limit_s, after_success_s=0.6)
        successes += result.success
        rows += recorder.rows
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    note: dict[str, object] = {
        'seeds': [seeds.start, seeds.stop],
        'frames': len(rows),
        'successes': successes,
        'student': student is not None,
    }
    Demonstrations(*columns).save(folder, note)
    camera.close()
    return note
