"""The last shaping of a twist: whatever changed it, its acceleration changes smoothly.

Walls, joints and the bound on blind travel shorten a twist whatever was sent before it.
They therefore begin :func:`easing_time_s` early, and this makes the change smooth.
"""

from __future__ import annotations

from magma_ros.data_types import FloatArray, MotionLimits, Twist
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.smoothing import Bounds, HalfMotion
from magma_ros.motion.workspace import angular_brake, approach_speed

SHORTEST_S = 1e-6  # of braking a twist that hardly moves
REACHED = 1e-9  # m/s and rad/s: rounding


def easing_time_s(limits: MotionLimits) -> float:
    """How much later the arm stops because its brake comes on gradually, from speeding up on."""
    return (limits.acceleration_m_s2 + limits.brake_m_s2 / 2) / limits.brake_jerk_m_s3


def fading_per_s(twist: Twist, limits: MotionLimits) -> float:
    """By what share of itself a twist can be slowed down within a second, its direction kept."""
    slowest = max(length(twist.linear_m_s) / limits.brake_m_s2, SHORTEST_S)
    return 1.0 / max(slowest, length(twist.angular_rad_s) / angular_brake(limits))


def extrapolate(twist: Twist, previous: Twist, periods: float) -> Twist:
    """What a twist turns into when it goes on changing as it did since ``previous``."""
    return Twist(
        twist.linear_m_s + periods * (twist.linear_m_s - previous.linear_m_s),
        twist.angular_rad_s + periods * (twist.angular_rad_s - previous.angular_rad_s),
    )


def ease(
    wish: Twist, previous: Twist, change: Twist, limits: MotionLimits, period_s: float
) -> tuple[Twist, Twist]:
    """The nearest twist that jerk and acceleration allow, and its change per second.

    ``previous`` was sent one period ago and ``change`` (m/s^2, rad/s^2) is how it came about. A
    half that is already what was wished for is the same object as in ``wish``.
    """
    jerkier = limits.brake_jerk_m_s3 / limits.jerk_m_s3
    linear = _ease(
        wish.linear_m_s,
        HalfMotion(previous.linear_m_s, change.linear_m_s),
        Bounds(limits.speed_m_s, limits.acceleration_m_s2, limits.brake_jerk_m_s3),
        limits.brake_m_s2,
        period_s,
    )
    angular = _ease(
        wish.angular_rad_s,
        HalfMotion(previous.angular_rad_s, change.angular_rad_s),
        Bounds(
            limits.angular_speed_rad_s,
            limits.angular_acceleration_rad_s2,
            limits.angular_jerk_rad_s3 * jerkier,
        ),
        angular_brake(limits),
        period_s,
    )
    return (
        Twist(linear.velocity, angular.velocity),
        Twist(linear.acceleration, angular.acceleration),
    )


def _ease(
    wish: FloatArray, half: HalfMotion, bounds: Bounds, brake: float, period_s: float
) -> HalfMotion:
    """One period towards ``wish`` with an acceleration that can still end there."""
    missing = wish - half.velocity
    hardest = brake if length(wish) < length(half.velocity) else bounds.acceleration
    # Speed takes the place of distance here, acceleration that of speed, and jerk brakes it.
    ending = approach_speed(length(missing), bounds.jerk, period_s / 2)
    wanted = shorten(missing / period_s, min(hardest, ending))
    step = shorten(wanted - half.acceleration, bounds.jerk * period_s)
    velocity = half.velocity + (half.acceleration + step) * period_s
    if length(velocity) > length(half.velocity):
        furthest = bounds.acceleration * period_s
        velocity = half.velocity + shorten(velocity - half.velocity, furthest)
    velocity = shorten(velocity, bounds.speed)
    if length(wish - velocity) < REACHED:
        velocity = wish
    return HalfMotion(velocity, (velocity - half.velocity) / period_s)
