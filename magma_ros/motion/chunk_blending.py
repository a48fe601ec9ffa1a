"""What is due when several chunks speak of the same moment.

``newest``: the newest chunk alone. ``ensemble``: the weighted mean of what all of them want now
(temporal ensembling of ACT, Zhao et al. 2023: weight exp(-m i) with i = 0 for the oldest). Targets
are absolute poses, so deltas of different pictures are comparable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from magma_ros.data_types import FloatArray, Pose
from magma_ros.rotations import quaternion_difference, turn_quaternion

Blending = Literal['newest', 'ensemble']
BLENDINGS: tuple[Blending, ...] = get_args(Blending)
ENSEMBLE_DECAY = 0.01  # m of ACT
MOST_CHUNKS = 16  # that are blended
MEAN_ROUNDS = 3  # of the rotation mean; chunks agree within a step, where one round is enough


@dataclass(frozen=True)
class DueStep:
    """The goal of this moment: go there and wait at rest."""

    target_gripper_in_base: Pose
    gripper_opening: float
    image_stamp_ns: int | None = None  # None: no picture caused it
    clipped: tuple[str, ...] = ()
    index: int = 0  # in its chunk


@dataclass(frozen=True)
class PlannedChunk:
    """A chunk as absolute targets. Step k is due from image stamp + k steps on."""

    image_stamp_ns: int
    step_ns: int
    steps: tuple[DueStep, ...]

    def due(self, now_ns: int) -> DueStep:
        """The first step from the start, the last for ever."""
        return self.steps[due_index(self.image_stamp_ns, self.step_ns, len(self.steps), now_ns)]

    def is_over(self, now_ns: int) -> bool:
        """Whether the time of the last step has passed."""
        return now_ns >= self.image_stamp_ns + len(self.steps) * self.step_ns


def due_index(image_stamp_ns: int, step_ns: int, steps: int, now_ns: int) -> int:
    """Which step of a chunk is due."""
    return min(max((now_ns - image_stamp_ns) // step_ns, 0), steps - 1)


def keep_for_blending(
    chunks: Sequence[PlannedChunk], newest: PlannedChunk, blending: Blending, now_ns: int
) -> tuple[PlannedChunk, ...]:
    """The chunks that still matter, oldest first."""
    if blending == 'newest':
        return (newest,)
    return (*(chunk for chunk in chunks if not chunk.is_over(now_ns)), newest)[-MOST_CHUNKS:]


def blend(chunks: Sequence[PlannedChunk], now_ns: int) -> DueStep:
    """What ``chunks`` (oldest first, at least one) want now.

    Chunks that are over do not vote, the newest excepted. The gripper follows the majority, since
    half open is what no chunk asked for. Picture and clipped limits are those of the newest.
    """
    newest = chunks[-1].due(now_ns)
    voters = [chunk for chunk in chunks[:-1] if not chunk.is_over(now_ns)]
    if not voters:
        return newest
    steps = [*(chunk.due(now_ns) for chunk in voters), newest]
    weights = np.array([math.exp(-ENSEMBLE_DECAY * i) for i in range(len(steps))])
    weights /= weights.sum()
    poses = [step.target_gripper_in_base for step in steps]
    translation = weights @ np.array([pose.translation_m for pose in poses])
    quaternion = mean_quaternion([pose.quaternion_xyzw for pose in poses], weights)
    opens = np.array([step.gripper_opening >= 0.5 for step in steps])
    share = float(weights @ opens)
    opening = newest.gripper_opening if abs(share - 0.5) < 1e-9 else float(share > 0.5)
    return DueStep(
        Pose(translation, quaternion), opening, newest.image_stamp_ns, newest.clipped, newest.index
    )


def mean_quaternion(quaternions_xyzw: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """The rotation whose weighted rotation vectors to all others sum to zero (Karcher mean).

    Signs of the quaternions do not matter. Rotations must lie within a half turn of each other.
    """
    mean = quaternions_xyzw[-1]
    for _ in range(MEAN_ROUNDS):
        vectors = np.array([quaternion_difference(mean, one) for one in quaternions_xyzw])
        mean = turn_quaternion(mean, weights @ vectors)
    return mean
