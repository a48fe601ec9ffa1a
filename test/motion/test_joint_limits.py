"""The joints' own guard: ends, speed and singular poses; and the verifier's view of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import MotionLimits, Twist
from magma_ros.motion.emergency_ramp import ramp_down
from magma_ros.motion.joint_limits import (
    LEAVING_SHARE,
    ROOM_RAD,
    JointGuard,
    JointLimits,
    JointMotion,
    joint_share,
)
from magma_ros.motion.norms import length
from magma_ros.motion.verifier import JointThen, find_violations
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.rotations import DOWN, make_pose

PROFILE = load_arm_profile('wx250s')
CHAIN = PROFILE.kinematics()
LIMITS = JointLimits(
    CHAIN.lower_rad,
    CHAIN.upper_rad,
    np.array(PROFILE.joint_speed_rad_s),
    PROFILE.joint_margin_rad,
    np.array(PROFILE.joint_brake_rad_s2),
    PROFILE.singularity_slow,
    PROFILE.singularity_stop,
)
GUARD = JointGuard(CHAIN, LIMITS)
START = np.array(PROFILE.start_joints_rad)
PERIOD_S = 0.02


def motion(
    positions: np.ndarray, speeds: object, condition: float = 10.0, ahead: float = 10.0
) -> JointMotion:
    velocities = np.array(speeds, dtype=float)
    return JointMotion(np.array(positions), velocities, condition, ahead, np.abs(velocities))


@pytest.mark.parametrize('joint', range(6))
@pytest.mark.parametrize('end', ['lower', 'upper'])
def test_a_joint_driven_at_its_end_stops_at_the_margin(joint: int, end: str) -> None:
    sign = 1.0 if end == 'upper' else -1.0
    edge = getattr(CHAIN, f'{end}_rad')[joint] - sign * (PROFILE.joint_margin_rad + ROOM_RAD)
    positions, slowed_at = START.copy(), math.nan
    positions[joint] = edge - sign * 0.6
    for _ in range(400):
        speeds = np.zeros(6)
        speeds[joint] = sign * 1.0
        share, names = joint_share(motion(positions, speeds), LIMITS)
        if share < 1.0 and math.isnan(slowed_at):
            slowed_at = abs(edge - positions[joint])
            assert names == ('joint_limit',)
        positions = positions + share * speeds * PERIOD_S
        assert sign * (edge - positions[joint]) >= -1e-9
    assert abs(edge - positions[joint]) < 2e-3
    assert 0.05 < slowed_at < 0.2
    back = np.zeros(6)
    back[joint] = -sign
    assert joint_share(motion(positions, back), LIMITS)[0] == 1.0


def test_joint_speed_is_shared_out() -> None:
    share, names = joint_share(motion(START, [0, 0, 0, 2.5, 0, 0]), LIMITS)
    assert (share, names) == (pytest.approx(0.97 * 0.5), ('joint_speed',))


def test_a_motion_that_gets_faster_is_slowed_down_before_it_is_too_fast() -> None:
    now = Twist(np.array([0.0, 0.1, 0.0]), np.zeros(3))
    coming = Twist(np.array([0.0, 0.1, 0.0]), np.array([0.0, 0.0, 3.0]))
    assert GUARD.spare(START, now) == (now, ())

    sent, names = GUARD.spare(START, now, coming=coming)

    assert names == ('joint_speed',)
    share = length(sent.linear_m_s) / length(now.linear_m_s)
    speeds = np.abs(GUARD.motion(START, coming).speeds_rad_s)
    assert (share * speeds <= LIMITS.speed_rad_s).all()


@pytest.mark.parametrize(
    ('condition', 'ahead', 'share'),
    [
        (34.0, 40.0, 1.0),
        (57.5, 58.0, 0.5),
        (57.5, 57.0, 0.5),
        (79.0, 78.0, LEAVING_SHARE),
        (129.0, 130.0, 0.0),
        (129.0, 128.0, LEAVING_SHARE),  # leaving is always possible
    ],
)
def test_singular_poses(condition: float, ahead: float, share: float) -> None:
    still = motion(START, [0.0] * 6, condition, ahead)
    assert joint_share(still, LIMITS)[0] == pytest.approx(share)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_what_the_guard_lets_through_the_verifier_accepts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    joints = rng.uniform(CHAIN.lower_rad + 0.1, CHAIN.upper_rad - 0.1)
    wish = Twist(rng.normal(0, 0.08, 3), rng.normal(0, 0.4, 3))
    sent, _ = GUARD.spare(joints, wish)
    # The direction stays: only the whole is shortened.
    assert length(np.cross(sent.linear_m_s, wish.linear_m_s)) < 1e-12
    then = GUARD.then(joints, sent)
    pose = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    assert 'joint limit' not in find_violations(
        sent, 0.5, pose, MotionLimits(), PERIOD_S, joints=then
    )


@pytest.mark.parametrize(
    ('joint', 'is_fine'),
    [
        (JointThen(0.99, 0.4, -1.0, 1.0, 1.25), True),
        (JointThen(0.999, 0.4, -1.0, 1.0, 1.25), False),
        (JointThen(1.2, 0.01, -1.0, 1.0, 1.25), False),  # outside already, and going on
        (JointThen(1.2, -0.4, -1.0, 1.0, 1.25), True),
        (JointThen(-0.999, -0.4, -1.0, 1.0, 1.25), False),
        (JointThen(0.0, 1.26, -1.0, 1.0, 1.25), False),
        (JointThen(0.0, math.nan, -1.0, 1.0, 1.25), False),
    ],
)
def test_the_verifier_looks_at_each_joint(joint: JointThen, is_fine: bool) -> None:
    pose = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    found = find_violations(Twist.zero(), 0.5, pose, MotionLimits(), PERIOD_S, joints=(joint,))
    assert found == (() if is_fine else ('joint limit',))


@pytest.mark.parametrize(('travelled', 'is_fine'), [(0.0469, True), (0.0471, False)])
def test_the_verifier_counts_the_way_on_one_picture(travelled: float, is_fine: bool) -> None:
    pose = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    twist = Twist(np.array([0.15, 0.0, 0.0]), np.zeros(3))
    found = find_violations(twist, 0.5, pose, MotionLimits(), PERIOD_S, (travelled, 0.0))
    assert found == (() if is_fine else ('too far on one picture',))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.002, 0.02, 0.05]))
def test_the_last_way_to_rest_needs_nothing_but_the_last_twist(seed: int, period_s: float) -> None:
    rng, limits = np.random.default_rng(seed), MotionLimits()
    last = Twist(rng.normal(0, 0.08, 3), rng.normal(0, 0.4, 3))
    ramp = (last, *ramp_down(last, limits, period_s))
    assert not ramp[-1].linear_m_s.any()
    assert not ramp[-1].angular_rad_s.any()
    for before, after in zip(ramp, ramp[1:], strict=False):
        step = length(after.linear_m_s - before.linear_m_s)
        turn = length(after.angular_rad_s - before.angular_rad_s)
        assert step <= limits.brake_m_s2 * period_s * (1 + 1e-9)
        assert turn <= 8.0 * period_s * (1 + 1e-9)
    broken = replace(last, linear_m_s=np.array([math.nan, 0.0, 0.0]))
    assert len(ramp_down(broken, limits, period_s)) == 1
