"""How a goal for the tool becomes a delta: shared by the path follower and the scripted expert."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import EndEffectorDelta, FloatArray
from magma_ros.rotations import down_with_euler

GAIN = 0.9  # share of the way that is left
STEP_M, STEP_RAD = 0.05, 0.25  # largest delta per axis, the ends of magma-nano's action bins
WRIST_REACH_RAD = 1.2  # yaw is kept within this of the wrist's middle


@dataclass(frozen=True)
class ToolGoal:
    """Where the tool should be, pointing down: position, yaw about base z, gripper 0 or 1."""

    position_m: FloatArray  # (3,) in the base frame
    yaw_rad: float  # 0 = fingers along base y
    gripper: float
    lateral: float = 1.0  # share of the sideways error to act on: up or down first, then sideways


def delta_towards(
    goal: ToolGoal, tool_m: FloatArray, tool_rpy_rad: FloatArray
) -> EndEffectorDelta:
    """A step towards ``goal``, relative to the tool's pose now; each axis is clipped on its own.

    Args:
        goal: where to go.
        tool_m: (3,) tool centre point in the base frame.
        tool_rpy_rad: (3,) away from straight down (``rotations.euler_from_down``).
    """
    move = GAIN * (goal.position_m - tool_m)
    move[:2] *= goal.lateral
    upright = down_with_euler(np.array([0.0, 0.0, goal.yaw_rad]))
    turn = upright * down_with_euler(tool_rpy_rad).inv()
    euler = np.clip(GAIN * turn.as_euler('xyz'), -STEP_RAD, STEP_RAD)
    return EndEffectorDelta(
        np.clip(move, -STEP_M, STEP_M), Rotation.from_euler('xyz', euler).as_rotvec(), goal.gripper
    )


def nearest_square_yaw(yaw_rad: float, now_rad: float) -> float:
    """The yaw, of the four that fit a square block, that is nearest to the present one.

    Beyond WRIST_REACH_RAD the next equivalent one towards the middle is taken.
    """
    quarter = np.pi / 2
    error = (yaw_rad - now_rad + quarter / 2) % quarter - quarter / 2
    yaw = now_rad + error
    return float(yaw - np.sign(yaw) * quarter if abs(yaw) > WRIST_REACH_RAD else yaw)


def misalignment_rad(yaw_rad: float, tool_rpy_rad: FloatArray) -> float:
    """How far the yaw is off, less 0.12 rad that do not matter for grasping."""
    return max(0.0, float(abs(yaw_rad - tool_rpy_rad[2])) - 0.12)


def tilt_rad(tool_rpy_rad: FloatArray) -> float:
    """How far the tool leans away from straight down, less 0.05 rad that do not matter."""
    return max(0.0, float(np.abs(tool_rpy_rad[:2]).max()) - 0.05)
