"""The shape of the workspace: a box for the tool centre point and a cone for the tool axis."""

from __future__ import annotations

import math

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits, Pose
from magma_ros.rotations import tool_axis, turn_quaternion


def confine(pose: Pose, limits: MotionLimits) -> tuple[Pose, tuple[str, ...]]:
    """The nearest pose inside, with ``goal_box`` and ``goal_cone`` where it had to be moved."""
    clipped: list[str] = []
    inside = np.minimum(np.maximum(pose.translation_m, limits.box_min_m), limits.box_max_m)
    if (inside != pose.translation_m).any():
        clipped.append('goal_box')
    angle, axis = tilt(pose.quaternion_xyzw)
    quaternion = pose.quaternion_xyzw
    if angle > limits.cone_rad:
        clipped.append('goal_cone')
        quaternion = turn_quaternion(quaternion, axis * (limits.cone_rad - angle))
    return (Pose(inside, quaternion), tuple(clipped)) if clipped else (pose, ())


def tilt(quaternion_xyzw: FloatArray) -> tuple[float, FloatArray]:
    """Angle of the tool axis from straight down (rad); unit axis in base about which it grows.

    Straight down and straight up the axis is not defined; any horizontal one serves.
    """
    x, y, z = tool_axis(quaternion_xyzw).tolist()
    sine = math.hypot(x, y)
    if sine < 1e-9:
        return (0.0 if z < 0.0 else math.pi), np.array([0.0, 1.0, 0.0])
    return math.atan2(sine, -z), np.array([y / sine, -x / sine, 0.0])


def approach_speed(distance: float, brake: float, response_s: float) -> float:
    """The speed from which one can still stop within ``distance``; 0 at and behind the wall.

    sqrt(2 a d) for an arm that answers at once; one that answers after ``response_s`` travels v *
    response first: v t + v^2 / 2a = d. Units: m and m/s^2, or rad and rad/s^2.
    """
    if distance <= 0.0:
        return 0.0
    late = brake * response_s
    return math.sqrt(late * late + 2.0 * brake * distance) - late


def angular_brake(limits: MotionLimits) -> float:
    """Braking of rotations (rad/s^2): in proportion to their acceleration, as for translations."""
    return limits.angular_acceleration_rad_s2 * limits.brake_m_s2 / limits.acceleration_m_s2
