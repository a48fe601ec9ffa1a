"""A second opinion on the exact numbers that are about to be sent.

Shares no code with ``limits.py`` on purpose: plain floats and the predicted pose instead of
vectors and speeds. It never repairs; whoever fails here has a bug, and the arm gets a zero twist.
"""

from __future__ import annotations

import math

from magma_ros.data_types import MotionLimits, Pose, Twist

SLACK = 1e-6  # relative rounding error of the envelope


def find_violations(
    twist: Twist, gripper_opening: float, measured: Pose, limits: MotionLimits, period_s: float
) -> tuple[str, ...]:
    """What is wrong with a command, in words; empty when it may be sent."""
    linear, angular = twist.linear_m_s.tolist(), twist.angular_rad_s.tolist()
    position, quaternion = measured.translation_m.tolist(), measured.quaternion_xyzw.tolist()
    everything = (*linear, *angular, gripper_opening, *position, *quaternion)
    if not all(math.isfinite(number) for number in everything):
        return ('not finite',)
    violations = []
    if math.dist(linear, (0, 0, 0)) * period_s > limits.speed_m_s * period_s * (1 + SLACK):
        violations.append('step too long')
    if math.dist(angular, (0, 0, 0)) * period_s > limits.angular_speed_rad_s * period_s * (
        1 + SLACK
    ):
        violations.append('turn too large')
    if not -SLACK <= gripper_opening <= 1 + SLACK:
        violations.append('gripper opening')
    if _leaves_box(linear, position, limits, period_s):
        violations.append('leaves the box')
    if _leaves_cone(angular, quaternion, limits, period_s):
        violations.append('leaves the cone')
    return tuple(violations)


def _leaves_box(
    velocity: list[float], position: list[float], limits: MotionLimits, period_s: float
) -> bool:
    """Whether the position one period later is further outside than the walls and than now."""
    for speed, here, low, high in zip(
        velocity, position, limits.box_min_m, limits.box_max_m, strict=True
    ):
        then = here + speed * period_s
        if then > max(high, here) + SLACK or then < min(low, here) - SLACK:
            return True
    return False


def _leaves_cone(
    velocity: list[float], quaternion: list[float], limits: MotionLimits, period_s: float
) -> bool:
    """The same for the angle of the tool's x axis from straight down."""
    x, y, z, w = quaternion
    tool = (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w))
    turn = [rate * period_s for rate in velocity]
    # First order: the tip of a unit vector moves by turn x vector; only its height matters here.
    height = tool[2] + turn[0] * tool[1] - turn[1] * tool[0]
    now, then = (math.acos(min(max(-value, -1.0), 1.0)) for value in (tool[2], height))
    curvature = math.dist(turn, (0, 0, 0)) ** 2
    return then > max(limits.cone_rad, now) + curvature + SLACK
