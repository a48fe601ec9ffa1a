"""Moves one axis at a time a little way and back, slowly, within the envelope.

Open loop on purpose: correcting by a measurement that may be wrong would hide what is to be found,
or run away. What the arm may do wrong in the meantime is bounded by :func:`find_surprise`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits, Pose, Twist
from magma_ros.errors import ArmError
from magma_ros.motion.commissioning.records import (
    AXES,
    HOLD,
    REST,
    Sample,
    Stroke,
    tool_motion,
)
from magma_ros.motion.joint_limits import JointGuard
from magma_ros.motion.limits import keep_inside, limit_rates, response_time_s
from magma_ros.motion.norms import length
from magma_ros.motion.verifier import find_violations
from magma_ros.motion.workspace import approach_speed

FASTEST_M_S, FASTEST_RAD_S = 0.05, 0.3  # commissioning profile, docs/safety.md
SPEED_M_S, SPEED_RAD_S = 0.02, 0.1  # of the strokes: a person must be able to follow them
DISTANCE_M, DISTANCE_RAD = 0.010, 0.0873  # 5 degrees
ROOM_M = 0.03  # around the start; nothing is commanded beyond
COMMAND_S = 0.1  # Servo forgets a twist after this; until then it lasts until the next
BEGIN_TICKS = 5  # after a pause Servo begins anew from where the arm is
SETTLE_S = 0.4  # Servo and the arm come to rest
DONE = 0.01  # share of a stroke that need not be gone
PATIENCE = 3.0  # times what a stroke takes without limits in its way

# Beyond what was asked. A wrong frame, tip or unit shows itself within these.
SURPRISE_M, SURPRISE_RAD, SURPRISE_JOINT_RAD = 0.02, 0.12, 0.15

Exchange = Callable[[Twist | None], Sample]  # send, wait for the next period, look; None: silence


def commissioning_limits(limits: MotionLimits, start: Pose) -> MotionLimits:
    """The envelope of an arm's first motions: slow, and around where it is."""
    here = start.translation_m
    return replace(
        limits,
        speed_m_s=min(limits.speed_m_s, FASTEST_M_S),
        angular_speed_rad_s=min(limits.angular_speed_rad_s, FASTEST_RAD_S),
        box_min_m=tuple((here - ROOM_M).tolist()),
        box_max_m=tuple((here + ROOM_M).tolist()),
    )


def run_strokes(
    exchange: Exchange, guard: JointGuard, limits: MotionLimits, period_s: float
) -> Iterator[Stroke]:
    """Listen, stand still, then each axis forth and back; ends after a stroke with a surprise.

    Args:
        exchange: called once a period; it raises when the arm must be left alone.
        guard: of the joints.
        limits: see :func:`commissioning_limits`.
        period_s: of the exchange.

    Raises:
        ArmError: our own verifier refuses a twist.
    """
    mover = _Mover(exchange, guard, limits, period_s)
    still = np.zeros(6)
    stroke = mover.stand(REST, None)
    yield stroke
    if not stroke.surprise:
        stroke = mover.stand(HOLD, Twist.zero())
        yield stroke
    for place, axis in enumerate(AXES):
        for sign in (1.0, -1.0):
            if stroke.surprise:
                return
            direction = still.copy()
            direction[place] = sign
            stroke = mover.go(f'{"+" if sign > 0 else "-"}{axis}', direction)
            yield stroke


class _Mover:
    """One stroke after another."""

    def __init__(
        self, exchange: Exchange, guard: JointGuard, limits: MotionLimits, period_s: float
    ) -> None:
        self._exchange, self._guard = exchange, guard
        self._limits, self._period_s = limits, period_s
        self._newest = exchange(None)

    def stand(self, name: str, twist: Twist | None) -> Stroke:
        """A stroke that goes nowhere; with None nothing is sent at all."""
        before = self._newest
        stroke = Stroke(name, np.zeros(6), np.zeros_like(before.joints_rad), before, before)
        return self._settle(stroke, twist)

    def go(self, name: str, direction: FloatArray) -> Stroke:
        """Along a unit direction (6,), until there, no further, or surprised."""
        is_turn = bool(direction[3:].any())
        distance, top = (DISTANCE_RAD, SPEED_RAD_S) if is_turn else (DISTANCE_M, SPEED_M_S)
        for _ in range(BEGIN_TICKS):
            sample = self._exchange(Twist.zero())
        before = sample
        sent, previous = np.zeros(6), Twist.zero()
        asked = np.zeros_like(before.joints_rad)
        ticks_left = int(PATIENCE * (distance / top + 0.5) / self._period_s)
        while (left := distance - float(sent @ direction)) > DONE * distance and ticks_left > 0:
            ticks_left -= 1
            twist = self._safe(self._wish(direction, left, top, is_turn), previous, sample)
            speeds = self._guard.motion(sample.joints_rad, twist).speeds_rad_s
            newer = self._exchange(twist)
            lasted_s = min(newer.time_s - sample.time_s, COMMAND_S)
            sent = sent + lasted_s * np.concatenate([twist.linear_m_s, twist.angular_rad_s])
            asked = asked + lasted_s * speeds
            sample, previous = newer, twist
            surprise = find_surprise(before, sample, sent, asked)
            if surprise:
                break
        return self._settle(Stroke(name, sent, asked, before, sample), Twist.zero())

    def _settle(self, stroke: Stroke, twist: Twist | None) -> Stroke:
        """The stroke once the arm has come to rest."""
        surprise = find_surprise(stroke.before, stroke.after, stroke.sent, stroke.asked_rad)
        sample = stroke.after
        for _ in range(round(SETTLE_S / self._period_s)):
            sample = self._exchange(twist)
            surprise = surprise or find_surprise(
                stroke.before, sample, stroke.sent, stroke.asked_rad
            )
        self._newest = sample
        return replace(stroke, after=sample, surprise=surprise)

    def _wish(self, direction: FloatArray, left: float, top: float, is_turn: bool) -> Twist:
        limits = self._limits
        brake = limits.angular_acceleration_rad_s2 if is_turn else limits.acceleration_m_s2
        speed = min(top, approach_speed(left, brake, response_time_s(self._period_s)))
        return Twist(speed * direction[:3], speed * direction[3:])

    def _safe(self, wish: Twist, previous: Twist, sample: Sample) -> Twist:
        limits, period_s, joints = self._limits, self._period_s, sample.joints_rad
        measured, response_s = sample.tool_in_base, response_time_s(self._period_s)
        steady, _ = limit_rates(wish, previous, limits, period_s)
        inside, _ = keep_inside(steady, measured, measured, limits, response_s)
        twist, _ = self._guard.spare(joints, inside, response_s)
        then = self._guard.then(joints, twist)
        wrong = find_violations(twist, 1.0, measured, limits, period_s, joints=then)
        if wrong:
            raise ArmError(
                f'the verifier refused a twist ({", ".join(wrong)}); nothing more was sent, '
                'please report this'
            )
        return twist


def find_surprise(before: Sample, now: Sample, sent: FloatArray, asked_rad: FloatArray) -> str:
    """What moved clearly further than it was asked to; empty when nothing did."""
    moved = tool_motion(before, now)
    joints = np.abs(now.joints_rad - before.joints_rad)
    for name, unit, far, asked, slack in (
        ('the tool', 'm', length(moved[:3]), length(sent[:3]), SURPRISE_M),
        ('the tool', 'rad', length(moved[3:]), length(sent[3:]), SURPRISE_RAD),
        ('a joint', 'rad', joints.max(), 1.5 * np.abs(asked_rad).max(), SURPRISE_JOINT_RAD),
    ):
        if far > asked + slack:
            return f'{name} moved {far:.3f} {unit}, {asked:.3f} {unit} were asked'
    return ''
