"""May this chunk be executed? Refused chunks have no effect; garbage is never clamped."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, MotionLimits
from magma_ros.motion.chunk_blending import Blending
from magma_ros.motion.reason_codes import Reason

GARBAGE_FACTOR = 3.0  # a delta this many times the step limit is not a large wish but nonsense
GRIPPER_SLACK = 0.05  # statistics put decoded openings a little outside of 0..1
LONGEST_CHUNK = 64
TELEOP = 'teleop'  # the source of chunks that a person steers; every other source is the policy
STEP_BOUNDS_S = (0.01, 3.0)


@dataclass(frozen=True)
class ChunkRules:
    """What the controller agreed on with whoever sends chunks."""

    frame_id: str = 'wx250s/base_link'  # base link of the arm
    step_s: float | None = None  # None: any step time within STEP_BOUNDS_S
    max_age_s: float = 3.0  # of the picture; a slow model is no fault, blind travel is bounded
    max_future_s: float = 0.05  # clocks of two machines
    blending: Blending = 'newest'  # of chunks that overlap in time


def find_refusal(
    chunk: DeltaChunk,
    previous: DeltaChunk | None,
    rules: ChunkRules,
    limits: MotionLimits,
    now_ns: int,
) -> Reason | None:
    """Why the chunk must not be executed; None when it may.

    ``previous`` is the chunk accepted before this one from the same side (:func:`is_teleop`). A
    stamp of 0 needs no rule of its own: on a real clock it is too old.
    """
    for delta in chunk.deltas:
        if reason := _find_refusal_of_delta(delta, limits):
            return reason
    if not 0 < len(chunk.deltas) <= LONGEST_CHUNK:
        return Reason.ACTION_DIMS
    if chunk.frame_id != rules.frame_id or chunk.reference not in ('measured', 'commanded'):
        return Reason.FRAME
    if not _is_step_time(chunk.step_s, rules):
        return Reason.STEP_TIME
    age_s = (now_ns - chunk.image_stamp_ns) * 1e-9
    if age_s < -rules.max_future_s:
        return Reason.STAMP_FUTURE
    if age_s > rules.max_age_s:
        return Reason.STAMP_OLD
    if previous is not None and (
        chunk.sequence <= previous.sequence or chunk.image_stamp_ns <= previous.image_stamp_ns
    ):
        return Reason.SEQ
    return None


def is_teleop(chunk: DeltaChunk) -> bool:
    """Whether a person steers; the policy cannot start a new count by another name."""
    return chunk.source == TELEOP


def _find_refusal_of_delta(delta: EndEffectorDelta, limits: MotionLimits) -> Reason | None:
    translation, rotation = np.asarray(delta.translation_m), np.asarray(delta.rotation_vector_rad)
    if translation.shape != (3,) or rotation.shape != (3,):
        return Reason.ACTION_DIMS
    numbers = [*translation.tolist(), *rotation.tolist(), delta.gripper_opening]
    if not all(math.isfinite(number) for number in numbers):
        return Reason.ACTION_NONFINITE
    if (
        math.hypot(*numbers[:3]) > GARBAGE_FACTOR * limits.step_m
        or math.hypot(*numbers[3:6]) > GARBAGE_FACTOR * limits.step_rad
        or not -GRIPPER_SLACK <= delta.gripper_opening <= 1.0 + GRIPPER_SLACK
    ):
        return Reason.ACTION_RANGE
    return None


def _is_step_time(step_s: float, rules: ChunkRules) -> bool:
    shortest, longest = STEP_BOUNDS_S
    if not shortest <= step_s <= longest:  # also false for NaN
        return False
    return rules.step_s is None or abs(step_s - rules.step_s) <= 0.01 * rules.step_s
