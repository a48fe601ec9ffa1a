"""The smoothed motion and the arm: neither may run away from the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.motion.delta_target import keep_near
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.smoothing import HalfMotion, Motion
from magma_ros.rotations import quaternion_difference, turn_quaternion

LEASH_M, LEASH_RAD = 0.05, 0.3  # furthest the smoothed pose may be ahead of the arm
SLOWEST_SHARE = 0.05  # of the speed limit, at the end of the leash
PULL_PER_S = 1.0  # how fast a remaining error is worked off
ARM_LAG_S = 0.08  # an arm this late is on time; pulling at it would make it overshoot


def keep_on_leash(motion: Motion, measured: Pose) -> Motion:
    """The motion with its pose within reach of the arm (no wind-up while the arm is blocked)."""
    pose = keep_near(motion.pose, measured, LEASH_M, LEASH_RAD)
    return motion if pose is motion.pose else replace(motion, pose=pose)


def speed_share(
    motion: Motion, measured: Pose, observation_age_s: float | None, limits: MotionLimits
) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Shares (0..1) of the linear and angular speed limit, and the names of what lowers them.

    ``blind_travel``: on a picture of age t no faster than blind_travel_m / t; rotations in the
    proportion of the step limits. ``leash``: slower over the second half of the leash, so that a
    blocked arm is not pushed at full speed.
    """
    away = motion.pose.translation_m - measured.translation_m
    turned = quaternion_difference(measured.quaternion_xyzw, motion.pose.quaternion_xyzw)
    linear = _leash_share(length(away) / LEASH_M)
    angular = _leash_share(length(turned) / LEASH_RAD)
    names = ['leash'] if min(linear, angular) < 1.0 else []
    if observation_age_s:
        speed = limits.blind_travel_m / observation_age_s
        angular_speed = speed * limits.step_rad / limits.step_m
        linear = min(linear, speed / limits.speed_m_s)
        angular = min(angular, angular_speed / limits.angular_speed_rad_s)
        is_slowed = length(motion.linear.velocity) > 0.9 * speed
        if is_slowed or length(motion.angular.velocity) > 0.9 * angular_speed:
            names.append('blind_travel')
    return (linear, angular), tuple(names)


def twist_towards(motion: Motion, measured: Pose) -> Twist:
    """The velocity of the motion and a gentle pull that brings the arm to its pose.

    Errors that an arm of normal lag has while it moves are left alone. The pull is at most
    ``PULL_PER_S`` times the leash; the speed limit is up to the envelope.
    """
    away = motion.pose.translation_m - measured.translation_m
    turn = quaternion_difference(measured.quaternion_xyzw, motion.pose.quaternion_xyzw)
    return Twist(
        motion.linear.velocity + _pull(away, motion.linear),
        motion.angular.velocity + _pull(turn, motion.angular),
    )


def follow_with_lag(arm_twist: Twist, sent: Twist, period_s: float) -> Twist:
    """How fast the arm is expected to be one period after ``sent``: a first-order lag."""
    share = period_s / (period_s + ARM_LAG_S)
    return Twist(
        arm_twist.linear_m_s + share * (sent.linear_m_s - arm_twist.linear_m_s),
        arm_twist.angular_rad_s + share * (sent.angular_rad_s - arm_twist.angular_rad_s),
    )


def coast(measured: Pose, arm_twist: Twist) -> Pose:
    """Where the arm would come to rest if it were told to stop now."""
    return Pose(
        measured.translation_m + ARM_LAG_S * arm_twist.linear_m_s,
        turn_quaternion(measured.quaternion_xyzw, ARM_LAG_S * arm_twist.angular_rad_s),
    )


def adopt_walls(motion: Motion, measured: Pose, wish: Twist, allowed: Twist) -> Motion:
    """The motion, stopped where a wall stopped the wish, and taken back to where the arm is there.

    Without this the motion would go on behind the wall, and its pull would hold the arm there.
    Axes that no wall slowed down are not touched.
    """
    linear, angular, pose = motion.linear, motion.angular, motion.pose
    if allowed.linear_m_s is not wish.linear_m_s:
        stopped = allowed.linear_m_s != wish.linear_m_s
        linear = replace(
            linear,
            velocity=np.where(stopped, allowed.linear_m_s, linear.velocity),
            acceleration=np.where(stopped, 0.0, linear.acceleration),
        )
        position = np.where(stopped, measured.translation_m, pose.translation_m)
        pose = replace(pose, translation_m=position)
    if allowed.angular_rad_s is not wish.angular_rad_s:
        angular = replace(angular, velocity=allowed.angular_rad_s, acceleration=np.zeros(3))
        pose = replace(pose, quaternion_xyzw=measured.quaternion_xyzw)
    return replace(motion, pose=pose, linear=linear, angular=angular)


def _leash_share(used: float) -> float:
    return min(1.0, max(SLOWEST_SHARE, 2.0 - 2.0 * used))


def _pull(error: FloatArray, half: HalfMotion) -> FloatArray:
    lagging_speed = length(half.velocity) + ARM_LAG_S * length(half.acceleration)
    return PULL_PER_S * shorten(error, max(0.0, length(error) - ARM_LAG_S * lagging_speed))
