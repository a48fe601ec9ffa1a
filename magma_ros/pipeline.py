"""From picture to motion: the two lists that everything else serves. Read this first.

    predict(): picture + instruction -> DeltaChunk
        check      is the picture fresh and real?
        prepare    exactly what Magma sees
        ask        the model: action tokens
        decode     tokens -> metres, radians, gripper
        chunk      deltas + stamp of the picture + what they are relative to

    command(): chunk + measured arm -> MotionCommand, 50 times a second
        schedule   which delta is due now?
        target     measured pose + delta = where to go
        smooth     limited speed, acceleration and jerk
        limit      box, cone, speed: what may be sent
        verify     a second opinion on the very numbers

Both are plain functions: no ROS, no clock, no threads. Nodes, simulation and tests call these two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from magma_ros.data_types import ArmState, DeltaChunk, MotionCommand, MotionLimits, Pose, Twist
from magma_ros.motion.chunk_check import ChunkRules
from magma_ros.motion.chunk_schedule import ChunkSchedule, DueStep
from magma_ros.motion.limits import limit_gripper, limit_twist
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.smoothing import Motion, brake, follow
from magma_ros.motion.tracking import adopt_walls, keep_on_leash, speed_share, twist_towards
from magma_ros.motion.verifier import find_violations

# ------------------------------------------------------------------------------------ predict

# (the lead adds predict() here)

# ------------------------------------------------------------------------------------ command


@dataclass
class MotionMemory:
    """What :func:`command` remembers from tick to tick. Begin anew whenever the arm is armed."""

    schedule: ChunkSchedule
    due: DueStep  # the goal commanded last
    motion: Motion  # the smoothed motion towards it
    twist: Twist  # sent last
    gripper_opening: float  # sent last
    is_held: bool = True  # stopped, and latched where the arm was measured
    violations: tuple[str, ...] = ()  # what the verifier found in the last tick

    @staticmethod
    def at_rest(arm: ArmState, rules: ChunkRules | None = None) -> MotionMemory:
        """Nothing to do, at rest where the arm is."""
        opening = min(max(arm.gripper_opening, 0.0), 1.0)
        due = DueStep(arm.pose_gripper_in_base, opening)
        motion = Motion.at_rest(arm.pose_gripper_in_base)
        return MotionMemory(
            ChunkSchedule(rules or ChunkRules()), due, motion, Twist.zero(), opening
        )

    def hold_at(self, measured: Pose) -> None:
        """Latch: stay here until there is something new to do."""
        self.due = DueStep(measured, self.gripper_opening)
        self.motion = Motion.at_rest(measured)
        self.is_held = True


def command(
    memory: MotionMemory,
    arm: ArmState,
    chunk: DeltaChunk | None,
    allowed_to_move: bool,
    limits: MotionLimits,
    period_s: float,
    now_ns: int,
) -> MotionCommand:
    """What to send to the arm in this control period. Updates ``memory``.

    ``chunk`` is the newest one; None and one that was seen before are the same. A refused chunk
    has no effect and ``memory.schedule.refusal`` says why. Without ``allowed_to_move`` the motion
    brakes, chunks are forgotten, and the arm stays where it was measured when it stopped.
    A measured pose that is not finite gives a zero twist. ``now_ns``: on the clock of the stamps.
    """
    measured, before = arm.pose_gripper_in_base, memory.motion
    if not np.isfinite([*measured.translation_m, *measured.quaternion_xyzw]).all():
        memory.twist = Twist.zero()
        why = (Reason.JOINTS_INVALID.name,)
        return MotionCommand(memory.twist, memory.gripper_opening, before.pose, why)
    age_s = _schedule(memory, arm, chunk, allowed_to_move, limits, now_ns)
    slowed_by = _smooth(memory, measured, age_s, allowed_to_move, limits, period_s)
    wish = Twist.zero() if memory.is_held else twist_towards(memory.motion, measured)
    twist, walls = limit_twist(wish, memory.twist, measured, limits, period_s)
    gripper = limit_gripper(memory.due.gripper_opening, memory.gripper_opening, limits, period_s)
    memory.motion = adopt_walls(memory.motion, measured, twist, walls)
    twist, gripper, failed = _verify(memory, twist, gripper, measured, limits, period_s)
    memory.twist, memory.gripper_opening = twist, gripper
    clipped = (*memory.due.clipped, *slowed_by, *walls, *failed)
    return MotionCommand(twist, gripper, memory.motion.pose, clipped, age_s)


def _schedule(
    memory: MotionMemory,
    arm: ArmState,
    chunk: DeltaChunk | None,
    allowed_to_move: bool,
    limits: MotionLimits,
    now_ns: int,
) -> float | None:
    """Choose the due step; the age of the picture that caused it (s), None when no picture did."""
    schedule = memory.schedule
    schedule.remember(arm)
    if chunk is not None:
        schedule.offer(chunk, memory.due.target_gripper_in_base, limits, now_ns)
    if not allowed_to_move:
        schedule.flush()
        memory.due = replace(memory.due, gripper_opening=memory.gripper_opening, clipped=())
        return None
    if memory.is_held:
        memory.hold_at(arm.pose_gripper_in_base)  # the arm may have been moved since
        memory.is_held = False
    memory.due = schedule.due(now_ns) or memory.due
    stamp_ns = memory.due.image_stamp_ns
    return None if stamp_ns is None else max(0.0, (now_ns - stamp_ns) * 1e-9)


def _smooth(
    memory: MotionMemory,
    measured: Pose,
    age_s: float | None,
    allowed_to_move: bool,
    limits: MotionLimits,
    period_s: float,
) -> tuple[str, ...]:
    """Take the smoothed motion one tick further; what slowed it down."""
    if memory.is_held:
        return ()
    if not allowed_to_move:
        memory.motion = brake(memory.motion, limits, period_s)
        if memory.motion.is_at_rest:
            memory.hold_at(measured)
        return ('brake',)
    motion = keep_on_leash(memory.motion, measured)
    share, slowed_by = speed_share(motion, measured, age_s, limits)
    goal = memory.due.target_gripper_in_base
    memory.motion = follow(motion, goal, limits, share, period_s)
    return slowed_by


def _verify(
    memory: MotionMemory,
    twist: Twist,
    gripper: float,
    measured: Pose,
    limits: MotionLimits,
    period_s: float,
) -> tuple[Twist, float, tuple[str, ...]]:
    """Pass the command on, or replace it by standing still when the second opinion disagrees."""
    memory.violations = find_violations(twist, gripper, measured, limits, period_s)
    if not memory.violations:
        return twist, gripper, ()
    memory.schedule.flush()
    memory.hold_at(measured)
    return Twist.zero(), memory.gripper_opening, (Reason.VERIFY_FAILED.name,)
