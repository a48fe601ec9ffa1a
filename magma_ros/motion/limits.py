"""The envelope on the twist that is to be sent, from what the arm measures; knows no goals."""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.workspace import angular_brake, approach_speed, tilt

RESPONSE_S = 0.03  # a control period of 20 ms and its lateness: until a slower twist is sent
ROUNDING = 1 + 1e-9  # what is at a limit is not over it


def response_time_s(period_s: float) -> float:
    """How long it takes until a slower twist can be sent; slow loops need more room."""
    return max(RESPONSE_S, 1.5 * period_s)


def limit_rates(
    wish: Twist, previous: Twist, limits: MotionLimits, period_s: float
) -> tuple[Twist, tuple[str, ...]]:
    """The nearest twist of allowed speed and acceleration; ``acceleration``, ``speed`` if clipped.

    ``previous`` is the twist sent one period ago. Speed comes first: it may cost more braking than
    the acceleration limit allows.
    """
    linear = limit_change(
        wish.linear_m_s,
        previous.linear_m_s,
        limits.acceleration_m_s2 * period_s,
        limits.brake_m_s2 * period_s,
    )
    angular = limit_change(
        wish.angular_rad_s,
        previous.angular_rad_s,
        limits.angular_acceleration_rad_s2 * period_s,
        angular_brake(limits) * period_s,
    )
    reachable = Twist(linear, angular)
    slow = Twist(
        shorten(linear, limits.speed_m_s * ROUNDING),
        shorten(angular, limits.angular_speed_rad_s * ROUNDING),
    )
    names = ('acceleration',) if not _is_same(reachable, wish) else ()
    return slow, names if _is_same(slow, reachable) else (*names, 'speed')


def keep_inside(
    wish: Twist,
    measured: Pose,
    coasted: Pose,
    limits: MotionLimits,
    response_s: float = RESPONSE_S,
) -> tuple[Twist, tuple[str, ...]]:
    """The nearest twist that stays inside of ``box`` and ``cone``; their names if they clipped.

    ``coasted`` is where the arm would come to rest if it were told to stop now: a lagging arm is
    nearer to a wall than it measures. The halves that are not clipped are the same objects as in
    ``wish``.
    """
    linear, angular = wish.linear_m_s, wish.angular_rad_s
    for pose in (coasted, measured):
        linear = keep_in_box(linear, pose.translation_m, limits, response_s)
        angular = keep_in_cone(angular, pose, limits, response_s)
    names = ('box',) if linear is not wish.linear_m_s else ()
    return Twist(linear, angular), names if angular is wish.angular_rad_s else (*names, 'cone')


def limit_change(
    wish: FloatArray, previous: FloatArray, speed_up: float, slow_down: float
) -> FloatArray:
    """The wished velocity, or the nearest to it that one period allows."""
    change = wish - previous
    furthest = slow_down if length(wish) < length(previous) else speed_up
    possible = shorten(change, furthest * ROUNDING)
    return wish if possible is change else previous + possible


def keep_in_box(
    velocity_m_s: FloatArray,
    position_m: FloatArray,
    limits: MotionLimits,
    response_s: float = RESPONSE_S,
) -> FloatArray:
    """Per axis: no faster towards a wall than one can stop in front of it. Inward motion is free.

    Outside of the box an axis may only move back in. Returns the same object when nothing changes.
    """
    speeds, here = velocity_m_s.tolist(), position_m.tolist()
    allowed = []
    for speed, at, low, high in zip(speeds, here, limits.box_min_m, limits.box_max_m, strict=True):
        if speed < 0.0:
            speed = max(speed, -approach_speed(at - low, limits.brake_m_s2, response_s))
        elif speed > 0.0:
            speed = min(speed, approach_speed(high - at, limits.brake_m_s2, response_s))
        allowed.append(speed)
    return velocity_m_s if allowed == speeds else np.array(allowed)


def keep_in_cone(
    velocity_rad_s: FloatArray,
    measured: Pose,
    limits: MotionLimits,
    response_s: float = RESPONSE_S,
) -> FloatArray:
    """Tilt the tool axis no faster than one can stop at the cone; every other turn is free."""
    angle, axis = tilt(measured.quaternion_xyzw)
    tilting = float(velocity_rad_s @ axis)
    allowed = approach_speed(limits.cone_rad - angle, angular_brake(limits), response_s)
    return velocity_rad_s if tilting <= allowed else velocity_rad_s - (tilting - allowed) * axis


def limit_gripper(wish: float, previous: float, limits: MotionLimits, period_s: float) -> float:
    """The opening (0..1) at most one period of gripper speed away from the previous one."""
    furthest = limits.gripper_speed_per_s * period_s
    return min(max(wish, previous - furthest, 0.0), previous + furthest, 1.0)


def _is_same(one: Twist, other: Twist) -> bool:
    return one.linear_m_s is other.linear_m_s and one.angular_rad_s is other.angular_rad_s
