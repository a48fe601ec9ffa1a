"""How much later the arm is because its motion is smoothed, and whether the jerk limit held.

One step of a 5 Hz policy, from rest to rest: STEP_M is the largest standard deviation of Bridge's
translations (y, 13.7 mm a step). Unsmoothed it would be a straight line at constant speed over its
0.2 s, or at the speed limit where that takes longer. The lag is the time between the two paths
crossing half of the step. The smoothed path is that of an arm that does exactly what
``pipeline.command`` sends; longer steps lag more, since the acceleration is limited.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.benchmarks.driven_arm import ARMS, PERIOD_NS, PERIOD_S
from magma_ros.benchmarks.record import Entry
from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, Pose
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.motion_memory import MotionMemory
from magma_ros.pipeline import POLICY_PERIOD_S, command
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.rotations import DOWN, make_pose

GOAL_MS = 60.0
STEP_M = 0.0137
WATCHED_TICKS = 60
ROUNDING = 1e-3


@dataclass(frozen=True)
class SmoothedStep:
    """What became of one step."""

    lag_s: float
    jerk_share: float  # largest jerk over its limit


def measure() -> list[Entry]:
    """Of each arm."""
    entries = []
    for arm in ARMS:
        found = take_step(load_arm_profile(arm), STEP_M)
        entries += [
            Entry(f'smoothing-{arm}-lag', round(found.lag_s * 1e3, 1), 'ms', GOAL_MS),
            Entry(
                f'smoothing-{arm}-jerk', round(found.jerk_share, 4), 'of its limit', 1 + ROUNDING
            ),
        ]
    return entries


def take_step(profile: ArmProfile, step_m: float) -> SmoothedStep:
    """One step along y from the middle of the box."""
    limits = profile.limits
    middle_m = (np.array(limits.box_min_m) + limits.box_max_m) / 2
    pose = make_pose(middle_m, DOWN)
    memory = MotionMemory.at_rest(_state(pose, 0), ChunkRules(profile.base_link))
    delta = EndEffectorDelta(np.array([0.0, step_m, 0.0]), np.zeros(3), 1.0)
    way_m, speeds = [0.0], [0.0]
    for tick in range(WATCHED_TICKS):
        now_ns = (tick + 1) * PERIOD_NS
        chunk = DeltaChunk((delta,), POLICY_PERIOD_S, PERIOD_NS, 'measured', profile.base_link, 1)
        sent = command(
            memory, _state(pose, now_ns), None if tick else chunk, 1.0, limits, PERIOD_S, now_ns
        )
        pose = Pose(pose.translation_m + PERIOD_S * sent.twist.linear_m_s, pose.quaternion_xyzw)
        way_m.append(float(pose.translation_m[1] - middle_m[1]))
        speeds.append(float(sent.twist.linear_m_s[1]))
    times_s = PERIOD_S * np.arange(len(way_m))
    half_s = float(np.interp(step_m / 2, way_m, times_s))
    plain_s = max(POLICY_PERIOD_S, step_m / limits.speed_m_s) / 2
    jerk = float(np.abs(np.diff(speeds, 2)).max()) / PERIOD_S**2
    return SmoothedStep(half_s - plain_s, jerk / limits.jerk_m_s3)


def _state(pose: Pose, stamp_ns: int) -> ArmState:
    return ArmState(np.zeros(1), np.zeros(1), pose, 1.0, stamp_ns)
