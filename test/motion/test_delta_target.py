"""Golden vectors (docs: computed from the published rules) and the composition of chunks."""

from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import DeltaChunk, EndEffectorDelta, MotionLimits, Pose, Reference
from magma_ros.motion.delta_target import (
    apply_delta,
    apply_delta_about,
    chunk_targets,
    clamp_delta,
    keep_near,
)
from magma_ros.rotations import (
    DOWN,
    make_pose,
    matrix_from_pose,
    pose_from_matrix,
    rotation_vector_from_euler,
)

LIMITS = MotionLimits()
EULER = np.array([0.1, -0.05, 0.2])
DELTA = EndEffectorDelta(np.array([0.02, -0.01, 0.03]), rotation_vector_from_euler(EULER), 1.0)
START = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)


def chunk_of(*steps: EndEffectorDelta, reference: Reference = 'measured') -> DeltaChunk:
    return DeltaChunk(steps, 0.2, 0, reference, 'wx250s/base_link')


def test_droid_rule_golden_vector() -> None:
    expected = [
        [0.028904365, -0.202566943, 0.97884175, 0.32],
        [0.107723118, 0.974179048, 0.198421046, -0.01],
        [-0.993760669, 0.099708651, 0.049979169, 0.18],
        [0.0, 0.0, 0.0, 1.0],
    ]
    np.testing.assert_allclose(matrix_from_pose(apply_delta(START, DELTA)), expected, atol=1e-8)


def test_bridge_rule_golden_vector() -> None:
    previous = pose_from_matrix(
        np.array([[0, 0, 1, 0.31], [0, 1, 0, 0.01], [-1, 0, 0, 0.16], [0, 0, 0, 1.0]])
    )
    expected = [
        [0.028904365, -0.202566943, 0.97884175, 0.327473704],
        [0.107723118, 0.974179048, 0.198421046, 0.00064877],
        [-0.993760669, 0.099708651, 0.049979169, 0.191434485],
        [0.0, 0.0, 0.0, 1.0],
    ]
    target = apply_delta_about(START, previous, DELTA)
    np.testing.assert_allclose(matrix_from_pose(target), expected, atol=1e-8)


def test_both_rules_agree_while_the_arm_is_where_it_was_sent() -> None:
    one, other = apply_delta(START, DELTA), apply_delta_about(START, START, DELTA)
    np.testing.assert_allclose(matrix_from_pose(one), matrix_from_pose(other), atol=1e-12)


def test_long_steps_are_shortened_in_their_direction() -> None:
    long = EndEffectorDelta(np.array([0.06, 0.0, -0.08]), np.array([0.0, 0.0, 0.5]), 0.3)
    clamped, clipped = clamp_delta(long, LIMITS)
    np.testing.assert_allclose(clamped.translation_m, [0.03, 0.0, -0.04])
    np.testing.assert_allclose(clamped.rotation_vector_rad, [0.0, 0.0, 0.25])
    assert clamped.gripper_opening == 0.3
    assert clipped == ('step',)
    assert clamp_delta(DELTA, LIMITS) == (DELTA, ())


def test_each_delta_of_a_chunk_continues_the_one_before() -> None:
    (first, _), (second, _) = chunk_targets(chunk_of(DELTA, DELTA), START, 0, LIMITS)
    expected = apply_delta(first, DELTA)
    np.testing.assert_allclose(second.translation_m, expected.translation_m)
    np.testing.assert_allclose(second.quaternion_xyzw, expected.quaternion_xyzw)


@pytest.mark.parametrize(('reference', 'steps_made'), [('measured', 3), ('commanded', 1)])
def test_late_steps(reference: Reference, steps_made: int) -> None:
    """A measured reference lies before the late steps, a commanded one behind them."""
    up = EndEffectorDelta(np.array([0.0, 0.0, 0.01]), np.zeros(3), 1.0)
    chunk = chunk_of(up, up, up, reference=reference)
    last, _ = chunk_targets(chunk, START, 2, LIMITS)[-1]
    assert last.translation_m[2] == pytest.approx(0.15 + steps_made * 0.01)


def test_targets_stay_in_box_and_cone() -> None:
    low = Pose(np.array([0.3, 0.0, 0.03]), START.quaternion_xyzw)
    dive = EndEffectorDelta(np.array([0.0, 0.0, -0.05]), np.array([0.0, 0.25, 0.0]), 1.0)
    targets = chunk_targets(chunk_of(*[dive] * 8), low, 0, LIMITS)
    pose, clipped = targets[-1]
    assert pose.translation_m[2] == LIMITS.box_min_m[2]
    tool = matrix_from_pose(pose)[:3, 0]
    assert np.arccos(-tool[2]) == pytest.approx(LIMITS.cone_rad, abs=1e-6)
    assert clipped == ('goal_box', 'goal_cone')


def test_keep_near_pulls_only_what_is_too_far() -> None:
    assert keep_near(START, START, 0.05, 0.3) is START
    far = make_pose(START.translation_m + [0.3, 0.4, 0.0], DOWN)
    near = keep_near(far, START, 0.05, 0.3)
    np.testing.assert_allclose(near.translation_m, START.translation_m + [0.03, 0.04, 0.0])
