"""Motion of limited speed, acceleration and jerk towards a goal that may jump at any time.

Each tick plans the whole way to the goal with Ruckig (time-optimal, Berscheid and Kroeger 2021)
and takes its first ``period_s``. Nothing but the motion's own state is carried from tick to tick,
so goals and limits may change freely.

Rotations are planned as a rotation vector about the present orientation. That is exact where the
plan is used: at zero the derivatives of a rotation vector equal the angular velocity and
acceleration, and one tick turns by less than 0.02 rad. The same code therefore serves both halves
of a pose.

Ruckig limits axes, the envelope limits norms. Each axis gets the share of a norm that it needs for
what it has to do, so that from rest the way is a straight line at full speed. What exceeds a norm
for a moment is shortened (:func:`magma_ros.motion.norms.shorten`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ruckig

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.workspace import angular_brake
from magma_ros.rotations import quaternion_difference, turn_quaternion

SMALLEST_SHARE = 0.2  # of the limits for an axis with little to do, relative to the busiest
HORIZON_S = 0.2  # weighs velocity and acceleration against the way when limits are shared out
REST_SPEED = 1e-4  # m/s and rad/s: slower is at rest
SLOWEST = 1e-3  # m/s and rad/s: Ruckig needs a speed limit above zero


@dataclass(frozen=True)
class Bounds:
    """Limits of the norms of one half of a motion, in m or rad."""

    speed: float
    acceleration: float
    jerk: float


@dataclass(frozen=True)
class HalfMotion:
    """Velocity and acceleration of the translation (m) or the rotation (rad), in base axes."""

    velocity: FloatArray
    acceleration: FloatArray

    @staticmethod
    def at_rest() -> HalfMotion:
        """Standing still."""
        return HalfMotion(np.zeros(3), np.zeros(3))


@dataclass(frozen=True)
class Motion:
    """The smoothed motion at one instant."""

    pose: Pose
    linear: HalfMotion
    angular: HalfMotion

    @staticmethod
    def at_rest(pose: Pose) -> Motion:
        """Standing still at a pose."""
        return Motion(pose, HalfMotion.at_rest(), HalfMotion.at_rest())

    @property
    def twist(self) -> Twist:
        """Its velocity."""
        return Twist(self.linear.velocity, self.angular.velocity)

    @property
    def is_at_rest(self) -> bool:
        """Whether both halves stand still."""
        return max(length(self.linear.velocity), length(self.angular.velocity)) < REST_SPEED


def follow(
    motion: Motion,
    goal: Pose,
    limits: MotionLimits,
    speed_share: tuple[float, float],
    period_s: float,
) -> Motion:
    """The motion one tick later on its way to rest at ``goal``.

    ``speed_share`` scales the limits of translation and rotation speed (0..1). A motion faster
    than a limit that has just fallen slows down within the acceleration limit.
    """
    linear_share, angular_share = speed_share
    way = goal.translation_m - motion.pose.translation_m
    turn = quaternion_difference(motion.pose.quaternion_xyzw, goal.quaternion_xyzw)
    linear = Bounds(
        max(SLOWEST, linear_share * limits.speed_m_s), limits.acceleration_m_s2, limits.jerk_m_s3
    )
    angular = Bounds(
        max(SLOWEST, angular_share * limits.angular_speed_rad_s),
        limits.angular_acceleration_rad_s2,
        limits.angular_jerk_rad_s3,
    )
    return _advance(
        motion,
        _plan(motion.linear, way, linear, period_s),
        _plan(motion.angular, turn, angular, period_s),
        period_s,
    )


def brake(motion: Motion, limits: MotionLimits, period_s: float) -> Motion:
    """The motion one tick later when it is to stop as fast as the brake limits allow."""
    linear = Bounds(limits.speed_m_s, limits.brake_m_s2, limits.brake_jerk_m_s3)
    angular = Bounds(
        limits.angular_speed_rad_s,
        angular_brake(limits),
        limits.angular_jerk_rad_s3 * limits.brake_jerk_m_s3 / limits.jerk_m_s3,
    )
    return _advance(
        motion,
        _plan(motion.linear, None, linear, period_s),
        _plan(motion.angular, None, angular, period_s),
        period_s,
    )


def _advance(motion: Motion, linear: HalfMotion, angular: HalfMotion, period_s: float) -> Motion:
    """Move the pose by the mean of old and new velocity."""
    step = (motion.linear.velocity + linear.velocity) * (period_s / 2)
    turn = (motion.angular.velocity + angular.velocity) * (period_s / 2)
    pose = Pose(
        motion.pose.translation_m + step, turn_quaternion(motion.pose.quaternion_xyzw, turn)
    )
    return Motion(pose, linear, angular)


def _plan(half: HalfMotion, way: FloatArray | None, bounds: Bounds, period_s: float) -> HalfMotion:
    """One tick of the way (m or rad) to rest; without a way, of the shortest braking."""
    shares = _share_out(half, way)
    request = ruckig.InputParameter(3)
    request.synchronization = ruckig.Synchronization.No
    request.current_velocity = half.velocity.tolist()
    request.current_acceleration = half.acceleration.tolist()
    request.max_acceleration = (bounds.acceleration * shares).tolist()
    request.max_jerk = (bounds.jerk * shares).tolist()
    if way is None:
        request.control_interface = ruckig.ControlInterface.Velocity
    else:
        request.max_velocity = (bounds.speed * shares).tolist()
        request.target_position = way.tolist()
    trajectory = ruckig.Trajectory(3)
    result = ruckig.Ruckig(3).calculate(request, trajectory)
    if result not in (ruckig.Result.Working, ruckig.Result.Finished):
        return _slow_down(half, bounds, period_s)
    _, velocity, acceleration = trajectory.at_time(period_s)
    return _within_norms(half, np.array(velocity), np.array(acceleration), bounds, period_s)


def _within_norms(
    half: HalfMotion,
    velocity: FloatArray,
    acceleration: FloatArray,
    bounds: Bounds,
    period_s: float,
) -> HalfMotion:
    """Shorten velocity, its change and acceleration; a speed over its limit may only fall."""
    fastest = max(bounds.speed, length(half.velocity))
    hardest = max(bounds.acceleration, length(half.acceleration))
    change = shorten(shorten(velocity, fastest) - half.velocity, hardest * period_s)
    return HalfMotion(half.velocity + change, shorten(acceleration, hardest))


def _slow_down(half: HalfMotion, bounds: Bounds, period_s: float) -> HalfMotion:
    """Without a plan (numerical failure of Ruckig): the plainest braking."""
    slower = max(0.0, length(half.velocity) - bounds.acceleration * period_s)
    return HalfMotion(shorten(half.velocity, slower), np.zeros(3))


def _share_out(half: HalfMotion, way: FloatArray | None) -> FloatArray:
    """Divide a norm limit among the axes by what each has to do; the squares sum to 1."""
    work = np.abs(half.velocity) + HORIZON_S * np.abs(half.acceleration)
    if way is not None:
        work = np.abs(way) + HORIZON_S * work
    shares = np.maximum(work, SMALLEST_SHARE * work.max() + 1e-9)
    return shares / length(shares)
