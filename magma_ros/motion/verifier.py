"""A second opinion on the exact numbers that are about to be sent.

Shares no code with ``limits.py`` on purpose: plain floats and the predicted pose instead of
vectors and speeds. It never repairs; whoever fails here has a bug, and the arm gets a zero twist.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from magma_ros.data_types import MotionLimits, Pose, Twist

SLACK = 1e-6  # relative rounding error of the envelope


@dataclass(frozen=True)
class JointThen:
    """One joint in the next period, for the verifier: plain numbers in rad and rad/s."""

    position: float
    speed: float
    lowest: float  # with the margin
    highest: float
    fastest: float


def find_violations(
    twist: Twist,
    gripper_opening: float,
    measured: Pose,
    limits: MotionLimits,
    period_s: float,
    blind_m_rad: tuple[float, float] = (0.0, 0.0),
    joints: tuple[JointThen, ...] = (),
) -> tuple[str, ...]:
    """What is wrong with a command, in words; empty when it may be sent.

    ``blind_m_rad``: travelled and turned on the picture that caused it. ``joints``: what the
    command asks of each joint, where kinematics are known.
    """
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
    if _travels_blindly(linear, angular, blind_m_rad, limits, period_s):
        violations.append('too far on one picture')
    if not all(_is_joint_fine(joint, period_s) for joint in joints):
        violations.append('joint limit')
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


def _travels_blindly(
    linear: list[float],
    angular: list[float],
    blind_m_rad: tuple[float, float],
    limits: MotionLimits,
    period_s: float,
) -> bool:
    """Whether the way on one picture gets longer than it may, and longer than it is already."""
    travelled, turned = blind_m_rad
    way, turn = math.dist(linear, (0, 0, 0)) * period_s, math.dist(angular, (0, 0, 0)) * period_s
    too_far = travelled + way > limits.blind_travel_m * (1 + SLACK) and way > SLACK
    return too_far or (turned + turn > limits.step_rad * (1 + SLACK) and turn > SLACK)


def _is_joint_fine(joint: JointThen, period_s: float) -> bool:
    """Not too fast, and not further outside of its ends than it is now."""
    then = joint.position + joint.speed * period_s
    inside = min(joint.lowest, joint.position) - SLACK <= then
    return (
        inside
        and then <= max(joint.highest, joint.position) + SLACK
        and abs(joint.speed) <= joint.fastest * (1 + 1e-3)
    )
