"""The smoothed motion and the arm: neither may run away from the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.motion.delta_target import keep_near
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.smoothing import HalfMotion, Motion, advance
from magma_ros.rotations import quaternion_difference

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


def adopt_walls(
    motion: Motion, measured: Pose, sent: Twist, clipped: tuple[str, ...]
) -> Motion:
    """The motion, stopped where a wall stopped what was sent, and taken back to where the arm is there.

    Only the axes that the wall slowed down are touched: the others may not inherit the pull in ``sent``. Without
    this the motion would go on behind the wall, and its pull would hold the arm there.
    """
    linear, pose = motion.linear, motion.pose
    if 'box' in clipped:
        stopped = np.abs(sent.linear_m_s) < np.abs(twist_towards(motion, measured).linear_m_s) - 1e-12
        slower = np.abs(sent.linear_m_s) < np.abs(linear.velocity)
        linear = HalfMotion(
            np.where(stopped & slower, sent.linear_m_s, linear.velocity),
            np.where(stopped, 0.0, linear.acceleration),
        )
        pose = replace(pose, translation_m=np.where(stopped, measured.translation_m, pose.translation_m))
    angular = HalfMotion(sent.angular_rad_s, np.zeros(3)) if 'cone' in clipped else motion.angular
    return Motion(pose, linear, angular)


def _leash_share(used: float) -> float:
    return min(1.0, max(SLOWEST_SHARE, 2.0 - 2.0 * used))


def _pull(error: FloatArray, half: HalfMotion) -> FloatArray:
    lagging_speed = length(half.velocity) + ARM_LAG_S * length(half.acceleration)
    return PULL_PER_S * shorten(error, max(0.0, length(error) - ARM_LAG_S * lagging_speed))
