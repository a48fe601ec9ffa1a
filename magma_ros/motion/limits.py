"""The envelope on the twist that is to be sent, from what the arm measures; knows no goals."""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.motion.norms import length, shorten
from magma_ros.motion.workspace import angular_brake, approach_speed, tilt

RESPONSE_S = 0.08  # how long arm, driver and one control period go on before a slower twist shows
ROUNDING = 1 + 1e-9  # what is at a limit is not over it


def limit_twist(
    wish: Twist, previous: Twist, measured: Pose, limits: MotionLimits, period_s: float
) -> tuple[Twist, tuple[str, ...]]:
    """The nearest twist that may be sent, and the names of the limits that changed the wish.

    ``previous`` is the twist sent one period ago. The order is the order of importance:
    acceleration gives way to speed, and both to the walls.
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
    inside = Twist(
        keep_in_box(slow.linear_m_s, measured.translation_m, limits),
        keep_in_cone(slow.angular_rad_s, measured, limits),
    )
    clipped = {
        'acceleration': not _is_same(reachable, wish),
        'speed': not _is_same(slow, reachable),
        'box': inside.linear_m_s is not slow.linear_m_s,
        'cone': inside.angular_rad_s is not slow.angular_rad_s,
    }
    return inside, tuple(name for name, is_clipped in clipped.items() if is_clipped)


def limit_change(
    wish: FloatArray, previous: FloatArray, speed_up: float, slow_down: float
) -> FloatArray:
    """The wished velocity, or the nearest to it that one period allows."""
    change = wish - previous
    furthest = slow_down if length(wish) < length(previous) else speed_up
    possible = shorten(change, furthest * ROUNDING)
    return wish if possible is change else previous + possible


def keep_in_box(
    velocity_m_s: FloatArray, position_m: FloatArray, limits: MotionLimits
) -> FloatArray:
    """Per axis: no faster towards a wall than one can stop in front of it. Inward motion is free.

    Outside of the box an axis may only move back in. Returns the same object when nothing changes.
    """
    speeds, here = velocity_m_s.tolist(), position_m.tolist()
    allowed = []
    for speed, at, low, high in zip(speeds, here, limits.box_min_m, limits.box_max_m, strict=True):
        if speed < 0.0:
            speed = max(speed, -approach_speed(at - low, limits.brake_m_s2, RESPONSE_S))
        elif speed > 0.0:
            speed = min(speed, approach_speed(high - at, limits.brake_m_s2, RESPONSE_S))
        allowed.append(speed)
    return velocity_m_s if allowed == speeds else np.array(allowed)


def keep_in_cone(velocity_rad_s: FloatArray, measured: Pose, limits: MotionLimits) -> FloatArray:
    """Tilt the tool axis no faster than one can stop at the cone; every other turn is free."""
    angle, axis = tilt(measured.quaternion_xyzw)
    tilting = float(velocity_rad_s @ axis)
    allowed = approach_speed(limits.cone_rad - angle, angular_brake(limits), RESPONSE_S)
    return velocity_rad_s if tilting <= allowed else velocity_rad_s - (tilting - allowed) * axis


def limit_gripper(wish: float, previous: float, limits: MotionLimits, period_s: float) -> float:
    """The opening (0..1) at most one period of gripper speed away from the previous one."""
    furthest = limits.gripper_speed_per_s * period_s
    return min(max(wish, previous - furthest, 0.0), previous + furthest, 1.0)


def _is_same(one: Twist, other: Twist) -> bool:
    return one.linear_m_s is other.linear_m_s and one.angular_rad_s is other.angular_rad_s
