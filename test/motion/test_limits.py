"""The envelope, and the verifier that must agree with it without sharing its code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import MotionLimits, Twist
from magma_ros.motion.limits import keep_inside, limit_gripper, limit_rates
from magma_ros.motion.norms import length
from magma_ros.motion.verifier import find_violations
from magma_ros.motion.workspace import approach_speed, confine, tilt
from magma_ros.rotations import DOWN, make_pose, turn_quaternion

LIMITS = MotionLimits()
PERIOD_S = 0.02
numbers = st.floats(-3, 3)
vectors = st.tuples(numbers, numbers, numbers).map(np.array)
positions = st.tuples(st.floats(0.0, 0.6), st.floats(-0.4, 0.4), st.floats(-0.2, 0.5)).map(
    np.array
)


def test_approach_speed_stops_at_the_wall() -> None:
    assert approach_speed(0.01, 2.0, 0.0) == pytest.approx(math.sqrt(2 * 2.0 * 0.01))
    assert approach_speed(0.0, 2.0, 0.08) == 0.0
    assert approach_speed(-0.1, 2.0, 0.08) == 0.0
    speed = approach_speed(0.01, 2.0, 0.08)
    assert speed * 0.08 + speed**2 / 4.0 == pytest.approx(0.01)


@settings(deadline=None, max_examples=200)
@given(vectors, vectors, vectors, vectors, positions, vectors)
def test_whatever_is_wished_what_is_sent_passes_the_verifier(
    linear: np.ndarray,
    angular: np.ndarray,
    sent_linear: np.ndarray,
    sent_angular: np.ndarray,
    position: np.ndarray,
    turn: np.ndarray,
) -> None:
    measured = make_pose(position, DOWN)
    measured = type(measured)(position, turn_quaternion(measured.quaternion_xyzw, turn / 3))
    previous = Twist(sent_linear / 40, sent_angular / 8)
    steady, _ = limit_rates(Twist(linear, angular), previous, LIMITS, PERIOD_S)
    assert length(steady.linear_m_s) <= 0.15 * (1 + 1e-6)
    assert length(steady.angular_rad_s) <= 0.8 * (1 + 1e-6)
    allowed, names = keep_inside(steady, measured, measured, LIMITS)
    assert find_violations(allowed, 1.0, measured, LIMITS, PERIOD_S) == ()
    assert ('box' in names) == bool((allowed.linear_m_s != steady.linear_m_s).any())
    for axis in range(3):
        here, speed = position[axis], allowed.linear_m_s[axis]
        if here >= LIMITS.box_max_m[axis]:
            assert speed <= 0
        if here <= LIMITS.box_min_m[axis]:
            assert speed >= 0


def test_inward_motion_is_free_and_sideways_motion_stays() -> None:
    at_wall = make_pose(np.array([0.45, 0.0, 0.15]), DOWN)
    inward = Twist(np.array([-0.1, 0.05, 0.0]), np.zeros(3))
    assert keep_inside(inward, at_wall, at_wall, LIMITS) == (inward, ())
    outward = Twist(np.array([0.1, 0.05, 0.0]), np.zeros(3))
    allowed, names = keep_inside(outward, at_wall, at_wall, LIMITS)
    np.testing.assert_array_equal(allowed.linear_m_s, [0.0, 0.05, 0.0])
    assert names == ('box',)


@pytest.mark.parametrize('axis', [0, 1, 2])
@pytest.mark.parametrize('side', [-1.0, 1.0])
def test_every_wall_is_approached_at_the_speed_one_can_stop_from(axis: int, side: float) -> None:
    wall = (LIMITS.box_max_m if side > 0 else LIMITS.box_min_m)[axis]
    position, towards = np.array([0.3, 0.0, 0.15]), np.zeros(3)
    position[axis], towards[axis] = wall - side * 0.008, side * 0.15
    near, far = make_pose(position, DOWN), make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    wish = Twist(towards, np.zeros(3))
    assert keep_inside(wish, far, near, LIMITS)[0].linear_m_s[axis] != side * 0.15
    allowed, names = keep_inside(wish, near, far, LIMITS)
    stop_m = abs(allowed.linear_m_s[axis]) * 0.03 + allowed.linear_m_s[axis] ** 2 / 4.0
    assert stop_m == pytest.approx(0.008)
    assert names == ('box',)


def test_the_cone_stops_tilting_but_not_turning() -> None:
    tilted = turn_quaternion(DOWN.as_quat(), np.array([0.0, -LIMITS.cone_rad, 0.0]))
    measured = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    measured = type(measured)(measured.translation_m, tilted)
    angle, axis = tilt(tilted)
    assert angle == pytest.approx(LIMITS.cone_rad)
    wish = Twist(np.zeros(3), 0.3 * axis + np.array([0.0, 0.0, 0.2]))
    allowed, names = keep_inside(wish, measured, measured, LIMITS)
    np.testing.assert_allclose(allowed.angular_rad_s, [0.0, 0.0, 0.2], atol=1e-9)
    assert names == ('cone',)
    back = Twist(np.zeros(3), -0.3 * axis)
    assert keep_inside(back, measured, measured, LIMITS) == (back, ())


def test_rates() -> None:
    zero = Twist.zero()
    fast = Twist(np.array([1.0, 0.0, 0.0]), np.zeros(3))
    started, names = limit_rates(fast, zero, LIMITS, PERIOD_S)
    assert length(started.linear_m_s) == pytest.approx(LIMITS.acceleration_m_s2 * PERIOD_S)
    assert names == ('acceleration',)
    stopped, _ = limit_rates(
        zero, Twist(np.array([0.15, 0.0, 0.0]), np.zeros(3)), LIMITS, PERIOD_S
    )
    assert stopped.linear_m_s[0] == pytest.approx(0.15 - LIMITS.brake_m_s2 * PERIOD_S)
    _, names = limit_rates(fast, fast, LIMITS, PERIOD_S)
    assert names == ('speed',)


def test_gripper_rate() -> None:
    assert limit_gripper(1.0, 0.0, LIMITS, PERIOD_S) == pytest.approx(0.06)
    assert limit_gripper(0.0, 1.0, LIMITS, PERIOD_S) == pytest.approx(0.94)
    assert limit_gripper(2.0, 0.99, LIMITS, PERIOD_S) == 1.0


def test_confine_moves_a_pose_just_inside() -> None:
    outside = make_pose(np.array([0.5, 0.0, 0.0]), DOWN)
    inside, names = confine(outside, LIMITS)
    np.testing.assert_allclose(inside.translation_m, [0.45, 0.0, 0.02])
    assert names == ('goal_box',)
    assert confine(inside, LIMITS) == (inside, ())
    upside_down = make_pose(inside.translation_m, DOWN.inv())
    assert tilt(confine(upside_down, LIMITS)[0].quaternion_xyzw)[0] == pytest.approx(
        LIMITS.cone_rad
    )


@pytest.mark.parametrize(
    ('linear', 'angular', 'gripper', 'x_m', 'violation'),
    [
        ([0.16, 0, 0], [0, 0, 0], 1.0, 0.3, 'step too long'),
        ([0, 0, 0], [0, 0.81, 0], 1.0, 0.3, 'turn too large'),
        ([0, 0, 0], [0, 0, 0], 1.1, 0.3, 'gripper opening'),
        ([0.1, 0, 0], [0, 0, 0], 1.0, 0.449, 'leaves the box'),
        ([0.01, 0, 0], [0, 0, 0], 1.0, 0.5, 'leaves the box'),
        ([float('nan'), 0, 0], [0, 0, 0], 1.0, 0.3, 'not finite'),
        ([0, 0, 0], [0, 0, float('inf')], 1.0, 0.3, 'not finite'),
        ([0, 0, 0], [0, 0, 0], float('nan'), 0.3, 'not finite'),
        ([0, 0, 0], [0, 0, 0], 1.0, float('nan'), 'not finite'),
    ],
)
def test_violations_are_found(
    linear: list[float], angular: list[float], gripper: float, x_m: float, violation: str
) -> None:
    measured = make_pose(np.array([x_m, 0.0, 0.15]), DOWN)
    twist = Twist(np.array(linear, dtype=float), np.array(angular, dtype=float))
    assert find_violations(twist, gripper, measured, LIMITS, PERIOD_S) == (violation,)


def test_tilting_out_of_the_cone_is_found() -> None:
    near = turn_quaternion(DOWN.as_quat(), np.array([0.0, -LIMITS.cone_rad + 0.005, 0.0]))
    pose = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    pose = type(pose)(pose.translation_m, near)
    twist = Twist(np.zeros(3), 0.7 * tilt(near)[1])
    assert find_violations(twist, 1.0, pose, LIMITS, PERIOD_S) == ('leaves the cone',)
