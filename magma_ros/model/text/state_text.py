"""The arm's state as a line of the prompt: seven integers (magma-nano's extra)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from magma_ros.data_types import FloatArray, Pose
from magma_ros.model.network.magma_config import StateConfig
from magma_ros.rotations import euler_from_down

LEVELS = 256


def state_values(pose_gripper_in_base: Pose, gripper_opening: float) -> FloatArray:
    """(7,): x, y, z in m; roll, pitch, yaw in rad away from straight down; opening 0..1."""
    euler_rad = euler_from_down(pose_gripper_in_base)
    return np.concatenate([pose_gripper_in_base.translation_m, euler_rad, [gripper_opening]])


def quantise_state(values: ArrayLike, table: StateConfig) -> list[int]:
    """(7,) values -> integers 0..255; outside the table's range they stick to its ends."""
    low, high = np.array(table.low), np.array(table.high)
    levels = np.rint((np.asarray(values, dtype=float) - low) / (high - low) * (LEVELS - 1))
    return np.clip(levels, 0, LEVELS - 1).astype(int).tolist()


def format_state(values: ArrayLike, table: StateConfig) -> str:
    """(7,) values -> ``State: [120,80,33,128,128,128,255]`` and a line break."""
    return f'State: [{",".join(map(str, quantise_state(values, table)))}]\n'
