"""Says afterwards whether an arm kept its envelope, from where its joints and its tool were.

Written apart from ``motion/limits.py`` and ``motion/verifier.py``, and it sees no command: speed,
acceleration and jerk are differences of positions. A whole episode is judged at once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import FloatArray
from magma_ros.robot.arm_profile import ArmProfile

ROUNDING = 1e-3  # relative, of speeds and what is derived from them
OVERSHOOT_M = 0.0005  # behind a wall of the box: fault F16 of the specification
OVERSHOOT_RAD = 0.002  # beyond the cone, and behind the margin of a joint


@dataclass(frozen=True)
class Track:
    """Where an arm was, one row for each control period."""

    joints_rad: FloatArray  # (n, dof)
    tools: FloatArray  # (n, 4, 4), tool in base


def judge(track: Track, profile: ArmProfile, period_s: float) -> Counter[str]:
    """How many periods broke each limit; empty when none did.

    An arm that begins outside of its box, cone or joint margins is judged as if they were where
    it begins.
    """
    if not (np.isfinite(track.joints_rad).all() and np.isfinite(track.tools).all()):
        return Counter(
            {'not finite': int((~np.isfinite(track.joints_rad)).any(axis=1).sum()) or 1}
        )
    places_m, turns = track.tools[:, :3, 3], Rotation.from_matrix(track.tools[:, :3, :3])
    velocity = np.diff(places_m, axis=0) / period_s
    spin = (turns[1:] * turns[:-1].inv()).as_rotvec() / period_s
    limits = profile.limits
    harder = limits.brake_m_s2 / limits.acceleration_m_s2
    jerkier = limits.brake_jerk_m_s3 / limits.jerk_m_s3
    broken = {
        **_rates(
            '',
            velocity,
            (limits.speed_m_s, limits.acceleration_m_s2, limits.brake_m_s2),
            limits.brake_jerk_m_s3,
            period_s,
        ),
        **_rates(
            'angular ',
            spin,
            (
                limits.angular_speed_rad_s,
                limits.angular_acceleration_rad_s2,
                harder * limits.angular_acceleration_rad_s2,
            ),
            jerkier * limits.angular_jerk_rad_s3,
            period_s,
        ),
        'box': _outside(
            places_m, np.array(limits.box_min_m), np.array(limits.box_max_m), OVERSHOOT_M
        ),
        'cone': _beyond_cone(track.tools[:, 2, 0], limits.cone_rad),
        **_joints(track.joints_rad, profile, period_s),
    }
    return Counter({name: int(where.sum()) for name, where in broken.items() if where.any()})


def _rates(
    of: str,
    velocity: FloatArray,
    speed_faster_slower: tuple[float, float, float],
    jerk: float,
    period_s: float,
) -> dict[str, np.ndarray]:
    """Speed, acceleration while it gets faster, braking, jerk: which periods break each."""
    fastest, faster, slower = speed_faster_slower
    speeds = np.linalg.norm(velocity, axis=1)
    change = np.diff(velocity, axis=0) / period_s
    changes = np.linalg.norm(change, axis=1)
    allowed = np.where(speeds[1:] > speeds[:-1], faster, slower)
    jerks = np.linalg.norm(np.diff(change, axis=0), axis=1) / period_s
    return {
        f'{of}speed': speeds > fastest * (1 + ROUNDING),
        f'{of}acceleration': changes > allowed * (1 + ROUNDING) + 1e-6,
        f'{of}jerk': jerks > jerk * (1 + ROUNDING) + 1e-3,
    }


def _joints(joints_rad: FloatArray, profile: ArmProfile, period_s: float) -> dict[str, np.ndarray]:
    speeds = np.abs(np.diff(joints_rad, axis=0)) / period_s
    too_fast = speeds > np.array(profile.joint_speed_rad_s) * (1 + ROUNDING)
    margin_rad = profile.joint_margin_rad
    return {
        'joint speed': np.asarray(too_fast.any(axis=1)),
        'joint limit': _outside(
            joints_rad,
            np.array(profile.joint_lower_rad) + margin_rad,
            np.array(profile.joint_upper_rad) - margin_rad,
            OVERSHOOT_RAD,
        ),
    }


def _outside(
    values: FloatArray, lowest: FloatArray, highest: FloatArray, slack: float
) -> np.ndarray:
    lowest, highest = np.minimum(lowest, values[0]), np.maximum(highest, values[0])
    outside = (values < lowest - slack) | (values > highest + slack)
    return np.asarray(outside.any(axis=1))


def _beyond_cone(heights: FloatArray, cone_rad: float) -> np.ndarray:
    """``heights``: base z of the tool's x axis; -1 is straight down."""
    tilts = np.arccos(np.clip(-heights, -1.0, 1.0))
    return tilts > max(cone_rad, float(tilts[0])) + OVERSHOOT_RAD
