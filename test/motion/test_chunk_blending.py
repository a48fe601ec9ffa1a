"""Overlapping chunks: newest wins, or the mean of all, on SO(3) and for the gripper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits
from magma_ros.motion.chunk_blending import (
    MOST_CHUNKS,
    DueStep,
    PlannedChunk,
    blend,
    keep_for_blending,
    mean_quaternion,
)
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.chunk_schedule import ChunkSchedule
from magma_ros.rotations import DOWN, make_pose

STEP_NS = 200_000_000
START = np.array([0.3, 0.0, 0.15])


def chunk(stamp_ns: int, heights: list[float], gripper: float = 1.0, turn: float = 0.0):
    rotation = Rotation.from_rotvec([0.0, 0.0, turn]) * DOWN
    steps = tuple(
        DueStep(make_pose(START + [0, 0, height], rotation), gripper, stamp_ns, (), index)
        for index, height in enumerate(heights)
    )
    return PlannedChunk(stamp_ns, STEP_NS, steps)


def height(step: DueStep) -> float:
    return float(step.target_gripper_in_base.translation_m[2] - START[2])


def test_the_mean_is_of_what_all_want_now() -> None:
    older, newer = chunk(0, [0.01, 0.02, 0.03]), chunk(STEP_NS, [0.04, 0.05])
    due = blend((older, newer), STEP_NS + 1)
    assert height(due) == pytest.approx((0.02 + 0.04 * np.exp(-0.01)) / (1 + np.exp(-0.01)))
    assert (due.image_stamp_ns, due.index) == (STEP_NS, 0)


def test_a_chunk_that_is_over_has_no_vote_but_the_newest_stays() -> None:
    older, newer = chunk(0, [0.01]), chunk(STEP_NS, [0.04])
    assert height(blend((older, newer), STEP_NS + 1)) == pytest.approx(0.04)
    assert height(blend((older, newer), 50 * STEP_NS)) == pytest.approx(0.04)


def test_the_gripper_follows_the_majority_and_is_never_half_open() -> None:
    closing = [chunk(k, [0.0] * 9, gripper=0.0) for k in range(2)]
    opening = chunk(2, [0.0] * 9, gripper=1.0)
    assert blend((*closing, opening), 3).gripper_opening == 0.0
    assert blend((closing[0], opening), 3).gripper_opening in (0.0, 1.0)
    assert blend((closing[0], opening, chunk(3, [0.0] * 9)), 4).gripper_opening == 1.0


def test_no_more_chunks_are_kept_than_are_blended() -> None:
    kept: tuple[PlannedChunk, ...] = ()
    for k in range(50):
        kept = keep_for_blending(kept, chunk(k, [0.0] * 64), 'ensemble', k)
    assert len(kept) == MOST_CHUNKS
    assert kept[-1].image_stamp_ns == 49
    assert len(keep_for_blending(kept, chunk(60, [0.0]), 'newest', 60)) == 1


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_the_mean_rotation_is_karchers_and_does_not_mind_signs(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    centre = Rotation.random(random_state=seed)
    rotations = [Rotation.from_rotvec(rng.normal(0, 0.1, 3)) * centre for _ in range(count)]
    weights = rng.uniform(0.1, 1.0, count)
    weights /= weights.sum()
    signs = rng.choice([-1.0, 1.0], count)
    quaternions = [sign * one.as_quat() for sign, one in zip(signs, rotations, strict=True)]
    mean = Rotation.from_quat(mean_quaternion(quaternions, weights))
    # The Karcher mean: weighted rotation vectors to all others cancel.
    left = sum(
        w * (one * mean.inv()).as_rotvec() for w, one in zip(weights, rotations, strict=True)
    )
    assert np.linalg.norm(left) < 1e-5
    chordal = Rotation.concatenate(rotations).mean(weights)  # close to it for close rotations
    assert (chordal * mean.inv()).magnitude() < 0.02


def test_the_schedule_blends_when_it_was_told_to() -> None:
    heights = {}
    for blending in ('newest', 'ensemble'):
        schedule = ChunkSchedule(ChunkRules(blending=blending))  # type: ignore[arg-type]
        for k, way in ((1, 0.02), (2, -0.02)):
            pose = make_pose(START, DOWN)
            schedule.remember(ArmState(np.zeros(6), np.zeros(6), pose, 1.0, k * STEP_NS))
            delta = EndEffectorDelta(np.array([0.0, 0.0, way]), np.zeros(3), 1.0)
            sent = DeltaChunk((delta,) * 4, 0.2, k * STEP_NS, 'measured', 'wx250s/base_link', k)
            schedule.offer(sent, pose, MotionLimits(), k * STEP_NS)
        due = schedule.due(2 * STEP_NS)
        assert due is not None
        heights[blending] = height(due)
    assert heights['newest'] == pytest.approx(-0.02)
    assert heights['ensemble'] == pytest.approx(
        (0.04 - 0.02 * np.exp(-0.01)) / (1 + np.exp(-0.01))
    )
