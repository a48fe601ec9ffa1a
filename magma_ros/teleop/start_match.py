"""Is the arm where a leader arm or a recording begins? Otherwise following would be a lunge."""

from __future__ import annotations

from magma_ros.data_types import Pose
from magma_ros.motion.norms import length
from magma_ros.rotations import quaternion_difference


def find_mismatch(wanted: Pose, measured: Pose, match_m: float, match_turn_rad: float) -> str:
    """How far the gripper is from where it must be; empty when it is near enough."""
    way = wanted.translation_m - measured.translation_m
    turn = length(quaternion_difference(measured.quaternion_xyzw, wanted.quaternion_xyzw))
    if length(way) <= match_m and turn <= match_turn_rad:
        return ''
    x, y, z = (1000 * way).round().astype(int).tolist()
    return (
        f'the gripper must first be within {1000 * match_m:g} mm and {match_turn_rad:g} rad of '
        f'where it is to begin, which is ({x}, {y}, {z}) mm and {turn:.2f} rad away'
    )
