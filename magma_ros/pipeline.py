"""From picture to motion: the two lists that everything else serves. Read this first.

    predict(): picture + instruction -> DeltaChunk
        check      is the picture fresh and real?
        prepare    exactly what Magma sees
        ask        the model: action tokens, or (path mode, once) a trace to lift and follow
        decode     tokens -> metres, radians, gripper
        chunk      deltas + stamp of the picture + what they are relative to

    command(): chunk + measured arm -> MotionCommand, 50 times a second
        schedule   which delta is due now?
        target     measured pose + delta = where to go
        smooth     limited speed, acceleration and jerk
        limit      box, cone, speed, joints, travel on one picture: what may be sent
        ease       what that changed, within the jerk limit
        verify     a second opinion on the very numbers

Both are plain functions: no ROS, no clock, no threads. Nodes, simulation and tests call these two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from magma_ros.data_types import (
    ArmState,
    DeltaChunk,
    MotionCommand,
    MotionLimits,
    Observation,
    PixelTrace,
    Pose,
    Twist,
)
from magma_ros.errors import CameraError, ConfigurationError, ModelError
from magma_ros.image.depth_lifting import lift_trace
from magma_ros.image.image_checks import find_fault
from magma_ros.image.trace_overlay import draw_overlay
from magma_ros.model.action_model import ActionAnswer, ActionDeltas, ActionModel
from magma_ros.model.action_scaling import ActionStatistics, decode_delta
from magma_ros.motion.blind_travel import BlindTravel, keep_blind_travel
from magma_ros.motion.chunk_blending import DueStep
from magma_ros.motion.easing import ease, easing_time_s, extrapolate, fading_per_s
from magma_ros.motion.limits import keep_inside, limit_gripper, limit_rates, response_time_s
from magma_ros.motion.motion_memory import MotionMemory
from magma_ros.motion.path_follower import PathFollower
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.smoothing import Motion, brake, follow
from magma_ros.motion.tracking import (
    adopt_walls,
    coast,
    follow_with_lag,
    keep_on_leash,
    speed_share,
    twist_towards,
)
from magma_ros.motion.verifier import find_violations

# ------------------------------------------------------------------------------------ predict

POLICY_PERIOD_S = 0.2  # a delta is meant to take this long: 5 Hz, Bridge's rate
Mode = Literal['direct', 'path']
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass
class PredictMemory:
    """What :func:`predict` remembers within one instruction. Begin anew with each instruction."""

    traces: list[PixelTrace] = field(default_factory=list)  # of the last answer, for people to see
    follower: PathFollower | None = None  # path mode: the path being followed
    sequence: int = 0


def predict(
    memory: PredictMemory,
    model: ActionModel,
    statistics: ActionStatistics | None,
    observation: Observation,
    instruction: str,
    mode: Mode,
    frame_id: str,
    draws_path: bool = False,
) -> DeltaChunk:
    """The chunk that this picture calls for. Updates ``memory``.

    ``direct``: seven action tokens, decoded with ``statistics``; a server's model needs none: it
    answers in metres and radians, maybe with several deltas. ``path``: on the first picture the
    model draws a trace with gripper events, aligned depth lifts it, and from then on each
    picture's arm state is taken one step along it. ``draws_path`` (direct mode): the path is drawn
    on the first picture, too, and into every picture that the model is asked for an action about.

    Raises:
        CameraError: the picture is dark or of the wrong format, or depth is missing where the path
            needs it.
        ConfigurationError: there is no such mode.
        InstructionError: the sentence cannot be used.
        ModelError: the answer holds no path.
    """
    if mode not in MODES:
        raise ConfigurationError(f'mode {mode!r} is unknown; modes are {", ".join(MODES)}')
    image, camera = observation.image, observation.camera
    fault = find_fault(image, (camera.width_px, camera.height_px))
    if fault is not None:
        raise CameraError(f'{fault.code}: {fault.text}')
    lacks_path = memory.follower is None if mode == 'path' else not memory.traces
    if lacks_path and (mode == 'path' or draws_path):
        memory.traces = model.generate_trace(image.rgb, instruction, observation.arm).traces
        if not memory.traces:
            raise ModelError(f'no path was drawn for "{instruction}"; say it in other words')
    if mode == 'direct':
        seen_rgb = draw_overlay(image.rgb, memory.traces[:1]) if draws_path else image.rgb
        answer = model.generate_action(seen_rgb, instruction, observation.arm)
        action = _decode(answer, statistics)
    else:
        if memory.follower is None:
            path = lift_trace(memory.traces[0], observation.read_depth(), camera)
            memory.follower = PathFollower(path)
        action = ActionDeltas((memory.follower.step(observation.arm),), POLICY_PERIOD_S)
    memory.sequence += 1
    return DeltaChunk(
        action.deltas,
        action.step_s,
        image.stamp_ns,
        action.reference,
        frame_id,
        memory.sequence,
        mode,
    )


def _decode(
    answer: ActionAnswer | ActionDeltas, statistics: ActionStatistics | None
) -> ActionDeltas:
    """Metres and radians, whoever has to do the sum."""
    if isinstance(answer, ActionDeltas):
        return answer
    if statistics is None:
        raise ValueError('a model that answers in tokens needs its action statistics')
    return ActionDeltas((decode_delta(answer.normalised, statistics),), POLICY_PERIOD_S)


# ------------------------------------------------------------------------------------ command


def command(
    memory: MotionMemory,
    arm: ArmState,
    chunk: DeltaChunk | None,
    permission: float,
    limits: MotionLimits,
    period_s: float,
    now_ns: int,
) -> MotionCommand:
    """What to send to the arm in this control period. Updates ``memory``.

    ``chunk`` is the newest one; None and one that was seen before are the same. A refused chunk
    has no effect and ``memory.schedule.refusal`` says why. ``permission`` is the share of the
    speed limits that may be used; with 0 the motion brakes, chunks are forgotten, and the arm
    stays where it was measured when it stopped. A measured pose that is not finite gives a zero
    twist. ``now_ns``: on the clock of the stamps.
    """
    measured = arm.pose_gripper_in_base
    if not np.isfinite([*measured.translation_m, *measured.quaternion_xyzw]).all():
        memory.twist = memory.change = Twist.zero()
        memory.motion = Motion.at_rest(memory.motion.pose)
        why = (Reason.JOINTS_INVALID.name,)
        return MotionCommand(memory.twist, memory.gripper_opening, memory.motion.pose, why)
    age_s = _schedule(memory, arm, chunk, permission > 0.0, limits, now_ns)
    slowed_by = _smooth(memory, measured, age_s, permission, limits, period_s)
    wish = memory.motion.twist  # while braking nothing pulls
    if permission > 0.0:
        wish = twist_towards(memory.motion, measured)
    steady, rates = limit_rates(wish, memory.twist, limits, period_s)
    inside, walls = _limit(memory, arm, steady, limits, period_s)
    twist, change = ease(inside, memory.twist, memory.change, limits, period_s)
    gripper = _grip(memory, permission > 0.0, limits, period_s)
    twist, gripper, failed = _verify(memory, arm, twist, gripper, limits, period_s)
    if failed:  # nothing of the rejected motion goes on
        change = Twist.zero()
    memory.twist, memory.change, memory.gripper_opening = twist, change, gripper
    memory.arm_twist = follow_with_lag(memory.arm_twist, twist, period_s)
    memory.blind = memory.blind.after(twist, period_s)
    clipped = (*memory.due.clipped, *slowed_by, *rates, *walls, *failed)
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
        memory.due = DueStep(memory.motion.pose, memory.gripper_opening)
        memory.blind = BlindTravel()
        return None
    if memory.is_held:
        memory.hold_at(arm.pose_gripper_in_base)  # the arm may have been moved since
        memory.is_held = False
    memory.due = schedule.due(now_ns) or memory.due
    stamp_ns = memory.due.image_stamp_ns
    memory.blind = memory.blind.on_picture(stamp_ns)
    return None if stamp_ns is None else max(0.0, (now_ns - stamp_ns) * 1e-9)


def _smooth(
    memory: MotionMemory,
    measured: Pose,
    age_s: float | None,
    permission: float,
    limits: MotionLimits,
    period_s: float,
) -> tuple[str, ...]:
    """Take the smoothed motion one tick further; what slowed it down."""
    if memory.is_held:
        return ()
    if permission <= 0.0:
        memory.motion = brake(memory.motion, limits, period_s)
        if memory.motion.is_at_rest:
            memory.hold_at(measured)
            memory.is_held = memory.is_sent_at_rest
        return ('brake',)
    motion = keep_on_leash(memory.motion, measured)
    (linear, angular), slowed_by = speed_share(motion, measured, age_s, limits)
    shares = (min(linear, permission), min(angular, permission))
    goal = memory.due.target_gripper_in_base
    memory.motion = follow(motion, goal, limits, shares, period_s)
    return slowed_by


def _limit(
    memory: MotionMemory, arm: ArmState, steady: Twist, limits: MotionLimits, period_s: float
) -> tuple[Twist, tuple[str, ...]]:
    """Keep the twist inside of every wall, and the motion from going on behind one."""
    measured = arm.pose_gripper_in_base
    easing_s = easing_time_s(limits)
    response_s = response_time_s(period_s) + easing_s
    coasted = coast(measured, memory.arm_twist)
    twist, walls = keep_inside(steady, measured, coasted, limits, response_s)
    twist, blind = keep_blind_travel(twist, memory.blind, limits, period_s + easing_s)
    joints: tuple[str, ...] = ()
    if memory.joints is not None:
        fading = fading_per_s(twist, limits)
        coming = extrapolate(twist, memory.twist, easing_s / period_s)
        twist, joints = memory.joints.spare(
            arm.joint_positions_rad, twist, response_s, fading, coming
        )
    memory.motion = adopt_walls(memory.motion, measured, steady, twist)
    return twist, (*walls, *blind, *joints)


def _grip(
    memory: MotionMemory, allowed_to_move: bool, limits: MotionLimits, period_s: float
) -> float:
    """The opening to send: what is due once the gate lets it through, at the gripper's speed."""
    due, stamp_ns = memory.due, memory.due.image_stamp_ns
    if allowed_to_move and stamp_ns is not None:
        memory.gate = memory.gate.pass_on((stamp_ns, due.index), due.gripper_opening, period_s)
    else:
        memory.gate = memory.gate.stay(memory.gripper_opening, period_s)
    return limit_gripper(memory.gate.opening, memory.gripper_opening, limits, period_s)


def _verify(
    memory: MotionMemory,
    arm: ArmState,
    twist: Twist,
    gripper: float,
    limits: MotionLimits,
    period_s: float,
) -> tuple[Twist, float, tuple[str, ...]]:
    """Pass the command on, or replace it by standing still when the second opinion disagrees."""
    measured, guard = arm.pose_gripper_in_base, memory.joints
    memory.violations = find_violations(
        twist,
        gripper,
        measured,
        limits,
        period_s,
        (memory.blind.travelled_m, memory.blind.turned_rad),
        guard.then(arm.joint_positions_rad, twist) if guard is not None else (),
    )
    if not memory.violations:
        return twist, gripper, ()
    memory.schedule.flush()
    memory.hold_at(measured)
    return Twist.zero(), memory.gripper_opening, (Reason.VERIFY_FAILED.name,)
