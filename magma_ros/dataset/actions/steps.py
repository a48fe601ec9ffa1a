"""Samples -> steps: each sample with the action until the next one, or why it is left out.

Nothing looks further ahead than the next sample: what comes after that never changes a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray, Pose
from magma_ros.dataset.actions.conventions import ActionConvention, state_vector
from magma_ros.dataset.actions.gripper_labels import GripperLabels
from magma_ros.dataset.features.sampling import Gap, Sample
from magma_ros.errors import ConfigurationError
from magma_ros.rotations import quaternion_difference

AFTER_GRIPPER = 2  # steps that are kept after the gripper has changed its mind


@dataclass(frozen=True)
class NoOpRules:
    """Steps in which nothing happens teach a policy to stay where it is."""

    least_m: float = 0.001
    least_rad: float = math.radians(0.3)
    is_on: bool = True

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not (0.0 <= self.least_m <= 0.1 and 0.0 <= self.least_rad <= 1.0):
            raise ConfigurationError('no-op limits: give 0 to 0.1 m and 0 to 1 rad')


@dataclass(frozen=True)
class Step:
    """One row of a dataset."""

    sample: Sample
    state: FloatArray  # (7,), see state_vector
    action: FloatArray  # (7,) in the units of the convention
    opening: float  # the gripper as it was commanded or did, 0..1


@dataclass(frozen=True)
class Exclusion:
    """One instant that is not in the dataset, and why."""

    time_ns: int
    reason: str


def make_steps(
    samples: Iterable[Sample | Gap], convention: ActionConvention, no_ops: NoOpRules
) -> Iterator[Step | Exclusion]:
    """Steps of one episode. The last sample has no action and ends it."""
    writer: _StepWriter | None = None
    last: Sample | None = None
    for item in samples:
        if isinstance(item, Gap):
            if last is not None:
                yield Exclusion(last.time_ns, f'no sample after it: {item.reason}')
            yield Exclusion(item.time_ns, item.reason)
            last = None
            continue
        if writer is None:
            writer = _StepWriter(item, convention, no_ops)
        if last is not None:
            yield writer.step(last, item)
        last = item
    if last is not None:
        yield Exclusion(last.time_ns, 'the last sample: nothing comes after it')


class _StepWriter:
    """Remembers the gripper and since where nothing has happened."""

    def __init__(self, first: Sample, convention: ActionConvention, no_ops: NoOpRules) -> None:
        self._convention, self._no_ops = convention, no_ops
        self._labels = GripperLabels(first.arm.gripper_opening)
        self._opening: float | None = None
        self._since_gripper = AFTER_GRIPPER + 1
        self._idle_from: Pose | None = None

    def step(self, sample: Sample, following: Sample) -> Step | Exclusion:
        convention, start = self._convention, sample.arm.pose_gripper_in_base
        goal = following.arm.pose_gripper_in_base
        measured_opening = self._labels.next(following.arm.gripper_opening)
        if convention.source == 'states':
            values = convention.between(start, goal)
            opening = measured_opening
            moved = _motion(self._idle_from or start, goal)
        else:
            commanded = following.commanded
            if commanded.gripper_opening is None:
                return Exclusion(sample.time_ns, 'nothing was commanded yet')
            shift, turn = commanded.translation_m, commanded.rotation_vector_rad
            values = convention.commanded(shift, turn)
            opening = min(1.0, max(0.0, commanded.gripper_opening))
            moved = float(np.linalg.norm(shift)), float(np.linalg.norm(turn))
        self._note_gripper(opening)
        is_idle = moved[0] < self._no_ops.least_m and moved[1] < self._no_ops.least_rad
        if self._no_ops.is_on and is_idle and self._since_gripper > AFTER_GRIPPER:
            self._idle_from = self._idle_from or start
            return Exclusion(sample.time_ns, 'nothing happens (no-op)')
        self._idle_from = None
        state = state_vector(start, sample.arm.gripper_opening, convention)
        action = np.append(values, convention.gripper(opening))
        return Step(sample, state, action, opening)

    def _note_gripper(self, opening: float) -> None:
        changed = self._opening is not None and (opening >= 0.5) is not (self._opening >= 0.5)
        self._since_gripper = 0 if changed else self._since_gripper + 1
        self._opening = opening


def _motion(start: Pose, goal: Pose) -> tuple[float, float]:
    turn = quaternion_difference(start.quaternion_xyzw, goal.quaternion_xyzw)
    shift = goal.translation_m - start.translation_m
    return float(np.linalg.norm(shift)), float(np.linalg.norm(turn))
