"""Limits of the norms, convergence, braking: on random goals, in translation and rotation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import MotionLimits, Pose
from magma_ros.motion.norms import length
from magma_ros.motion.smoothing import HalfMotion, Motion, brake, follow
from magma_ros.rotations import DOWN, make_pose, quaternion_difference, turn_quaternion

LIMITS = MotionLimits()
START = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
PERIOD_S = 0.02
FULL = (1.0, 1.0)
SLACK = 1 + 1e-6


def moved(pose: Pose, way: np.ndarray, turn: np.ndarray) -> Pose:
    return Pose(pose.translation_m + way, turn_quaternion(pose.quaternion_xyzw, turn))


def assert_within_limits(before: Motion, after: Motion) -> None:
    halves = (
        (before.linear, after.linear, 0.15, 1.0, 15.0),
        (before.angular, after.angular, 0.8, 4.0, 60.0),
    )
    for old, new, speed, acceleration, jerk in halves:
        assert length(new.velocity) <= speed * SLACK
        assert length(new.acceleration) <= acceleration * SLACK
        assert length(new.velocity - old.velocity) <= acceleration * PERIOD_S * SLACK
        assert length(new.acceleration - old.acceleration) <= jerk * PERIOD_S * SLACK


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 25))
def test_limits_hold_and_the_last_goal_is_reached(seed: int, ticks_per_goal: int) -> None:
    rng = np.random.default_rng(seed)
    motion, goal = Motion.at_rest(START), START
    for tick in range(200):
        if tick % ticks_per_goal == 0 and tick < 80:
            goal = moved(motion.pose, rng.normal(0, 0.04, 3), rng.normal(0, 0.2, 3))
        after = follow(motion, goal, LIMITS, FULL, PERIOD_S)
        assert_within_limits(motion, after)
        motion = after
    assert length(goal.translation_m - motion.pose.translation_m) < 1e-4
    assert length(quaternion_difference(motion.pose.quaternion_xyzw, goal.quaternion_xyzw)) < 1e-3
    assert motion.is_at_rest


@pytest.mark.parametrize(
    ('way', 'least_s'),
    # Rest to rest along one line: sqrt(4 d / a + (a / j)^2) + a / j, or d / v + v / a + a / j.
    [([0.02, 0.0, 0.0], 0.358), ([0.0, 0.0, -0.1], 0.883), ([0.03, -0.03, 0.03], 0.563)],
)
def test_adds_no_lag_beyond_the_limits(way: list[float], least_s: float) -> None:
    goal = moved(START, np.array(way), np.zeros(3))
    motion, ticks = Motion.at_rest(START), 0
    while length(goal.translation_m - motion.pose.translation_m) > 5e-4:
        motion = follow(motion, goal, LIMITS, FULL, PERIOD_S)
        ticks += 1
    assert ticks * PERIOD_S <= least_s + 0.06


def test_straight_from_rest() -> None:
    way = np.array([0.04, -0.02, 0.03])
    motion, goal = Motion.at_rest(START), moved(START, way, np.zeros(3))
    off_line = 0.0
    for _ in range(60):
        motion = follow(motion, goal, LIMITS, FULL, PERIOD_S)
        done = motion.pose.translation_m - START.translation_m
        off_line = max(off_line, length(np.cross(done, way / length(way))))
    assert off_line < 0.001


def test_angular_velocity_is_that_of_the_pose() -> None:
    """The twist must integrate to the pose, or the arm would slowly turn away from it."""
    goal = moved(START, np.zeros(3), np.array([0.4, -0.5, 0.6]))
    motion = Motion.at_rest(START)
    quaternion = START.quaternion_xyzw
    for _ in range(100):
        after = follow(motion, goal, LIMITS, FULL, PERIOD_S)
        mean = (motion.twist.angular_rad_s + after.twist.angular_rad_s) / 2
        quaternion = turn_quaternion(quaternion, mean * PERIOD_S)
        motion = after
    assert length(quaternion_difference(quaternion, goal.quaternion_xyzw)) < 1e-3


def test_a_falling_speed_limit_is_obeyed_without_a_jump() -> None:
    goal = moved(START, np.array([0.15, 0.0, 0.0]), np.zeros(3))
    motion = Motion.at_rest(START)
    for tick in range(60):
        share = 1.0 if tick < 25 else 0.2
        after = follow(motion, goal, LIMITS, (share, share), PERIOD_S)
        assert_within_limits(motion, after)
        motion = after
    assert length(motion.twist.linear_m_s) <= 0.2 * 0.15 * SLACK


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_brake_from_any_motion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    goal = moved(START, rng.normal(0, 0.1, 3), rng.normal(0, 0.5, 3))
    motion = Motion.at_rest(START)
    for _ in range(rng.integers(1, 40)):
        motion = follow(motion, goal, LIMITS, FULL, PERIOD_S)
    start, ticks = motion, 0
    while not motion.is_at_rest:
        after = brake(motion, LIMITS, PERIOD_S)
        change = length(after.linear.velocity - motion.linear.velocity)
        assert change <= LIMITS.brake_m_s2 * PERIOD_S * SLACK
        jerk = length(after.linear.acceleration - motion.linear.acceleration) / PERIOD_S
        assert jerk <= LIMITS.brake_jerk_m_s3 * SLACK
        motion, ticks = after, ticks + 1
    assert ticks * PERIOD_S <= 0.25  # angular: 0.8 / 8 + 8 / 240 s, and what speeds up at first
    assert length(motion.pose.translation_m - start.pose.translation_m) < 0.02


def test_stop_from_full_speed_takes_what_the_specification_says() -> None:
    full = HalfMotion(np.array([0.15, 0.0, 0.0]), np.zeros(3))
    motion, speeds = Motion(START, full, HalfMotion.at_rest()), [0.15]
    while not motion.is_at_rest:
        motion = brake(motion, LIMITS, PERIOD_S)
        speeds.append(length(motion.twist.linear_m_s))
    assert (len(speeds) - 1) * PERIOD_S <= 0.15
    assert motion.pose.translation_m[0] - START.translation_m[0] < 0.010
    assert all(later < earlier for earlier, later in zip(speeds, speeds[1:], strict=False))
