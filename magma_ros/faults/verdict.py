"""The judge's arithmetic, pure: where the arm was when, how it stopped, and what it broke."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from magma_ros.data_types import FloatArray, MotionLimits

REST_M_S = 0.001
AT_REST_S = 0.1  # so long below REST_M_S, or it was only turning round
RESTART_M_S = 0.005
BRAKING_SHARE = 0.95  # of the speed at the fault: below it for good means that braking has begun
SPEED_WINDOW = 2  # samples on either side of a speed: 20 ms in all
BOX_M = 0.0005
SPEED_SLACK = 1.05  # interpolation between trajectory points, and Servo's own tolerance
JUMP_M = 0.001  # between two samples, over what the speed limit explains


@dataclass(frozen=True)
class Envelope:
    """What must hold at every instant, whatever the fault."""

    limits: MotionLimits
    joint_lower_rad: FloatArray  # (dof,), of the hardware
    joint_upper_rad: FloatArray
    joint_speed_rad_s: FloatArray  # (dof,)


@dataclass(frozen=True)
class Bounds:
    """What one fault may cost; None: not asked."""

    brake_s: float | None = None  # until the first decelerating command
    rest_s: float | None = None  # until slower than REST_M_S
    travel_m: float | None = None  # furthest from where the fault found the arm
    stays_at_rest: bool = False  # nothing moves again while it is watched


@dataclass(frozen=True)
class Trace:
    """The arm over a while."""

    times_s: FloatArray  # (n,)
    commanded_m: FloatArray  # (n, 3), the tip of the commanded joints
    tips_m: FloatArray  # (n, 3), the tip as it was
    joints_rad: FloatArray  # (n, dof), as they were
    impossible: int = 0  # trajectories that came with NaN, or points that no joint reaches
    told: tuple[tuple[float, float], ...] = ()  # when a trajectory came, and its last speed, rad/s


@dataclass(frozen=True)
class Verdict:
    """What the judge found. Infinite times: it never happened."""

    brake_s: float
    rest_s: float
    travel_m: float
    speed_at_fault_m_s: float
    restarts: int
    shift_m: tuple[float, ...]  # from the place of the fault to the end
    violations: dict[str, float] = field(default_factory=dict)  # the worst of each kind
    complaints: tuple[str, ...] = ()


def judge(trace: Trace, envelope: Envelope, fault_s: float, bounds: Bounds) -> Verdict:
    """Judge a trace; times of the verdict count from the fault.

    A trace that has not a single finite sample on either side of the fault is a complaint, too: a
    judge who saw nothing must not acquit.
    """
    after = int(np.searchsorted(trace.times_s, fault_s))
    if not 0 < after < len(trace.times_s):
        nothing = Verdict(math.inf, math.inf, math.inf, 0.0, 0, ())
        return _with_complaints(nothing, bounds, ('the judge saw no motion around the fault',))
    times = trace.times_s
    speeds = _speeds(times, trace.tips_m)
    rest = _first_rest(times, speeds, after)
    brake_s = _told_to_brake(trace.told, fault_s, None if rest is None else times[rest])
    if brake_s is None:
        brake_s = _braking(times, _last_speeds(times, trace.commanded_m), after, rest)
    found = Verdict(
        brake_s=brake_s - fault_s,
        rest_s=(times[rest] if rest is not None else math.inf) - fault_s,
        travel_m=float(np.linalg.norm(trace.tips_m[after:] - trace.tips_m[after], axis=1).max()),
        speed_at_fault_m_s=float(speeds[after]),
        restarts=0 if rest is None else _restarts(speeds[rest:]),
        shift_m=tuple((trace.tips_m[-1] - trace.tips_m[after]).tolist()),
        violations=_violations(trace, speeds, envelope),
    )
    return _with_complaints(found, bounds, ())


def _with_complaints(found: Verdict, bounds: Bounds, said: tuple[str, ...]) -> Verdict:
    more = [*said, *(f'{name} {worst:.4g}' for name, worst in found.violations.items())]
    for name, value, bound in (
        ('braked after s', found.brake_s, bounds.brake_s),
        ('at rest after s', found.rest_s, bounds.rest_s),
        ('travelled m', found.travel_m, bounds.travel_m),
    ):
        if bound is not None and not value <= bound:  # also for NaN
            more.append(f'{name} {value:.3f}, allowed {bound:.3f}')
    if bounds.stays_at_rest and found.restarts:
        more.append(f'moved again {found.restarts} times without a person')
    return Verdict(**{**vars(found), 'complaints': tuple(more)})


def _speeds(times_s: FloatArray, places_m: FloatArray) -> FloatArray:
    """(n,) m/s, over SPEED_WINDOW samples on either side."""
    count = len(times_s)
    index = np.arange(count)
    low = np.maximum(index - SPEED_WINDOW, 0)
    high = np.minimum(index + SPEED_WINDOW, count - 1)
    way = np.linalg.norm(places_m[high] - places_m[low], axis=1)
    return way / np.maximum(times_s[high] - times_s[low], 1e-6)


def _last_speeds(times_s: FloatArray, places_m: FloatArray) -> FloatArray:
    """(n,) m/s since the sample before: nothing later makes braking look early."""
    ways = np.linalg.norm(np.diff(places_m, axis=0), axis=1)
    speeds = ways / np.maximum(np.diff(times_s), 1e-6)
    return np.concatenate([speeds[:1], speeds])


def _first_rest(times_s: FloatArray, speeds: FloatArray, after: int) -> int | None:
    """Index of the first instant from which the arm was at rest for AT_REST_S."""
    began: int | None = None
    for index in range(after, len(times_s)):
        if not speeds[index] < REST_M_S:
            began = None
        elif began is None:
            began = index
        elif times_s[index] - times_s[began] >= AT_REST_S:
            return began
    return None


def _told_to_brake(
    told: tuple[tuple[float, float], ...], fault_s: float, rest_s: float | None
) -> float | None:
    """When the first trajectory came from which on all end slower; None: none of them says.

    A trajectory ends tenths of a second ahead of the arm: this is when the decision arrived.
    """
    before = [speed for at_s, speed in told if at_s < fault_s]
    later = [end for end in told if fault_s <= end[0] and (rest_s is None or end[0] <= rest_s)]
    if not before or not later:
        return None
    fast = [at_s for at_s, speed in later if speed >= BRAKING_SHARE * before[-1]]
    slow = [at_s for at_s, _ in later if not fast or at_s > fast[-1]]
    return slow[0] if slow else None


def _braking(times_s: FloatArray, told: FloatArray, after: int, rest: int | None) -> float:
    """When the commanded speed fell below its share for good; never, without a rest."""
    if told[after] < RESTART_M_S:
        return float(times_s[after])
    if rest is None:
        return math.inf
    fast = np.flatnonzero(told[after : rest + 1] >= BRAKING_SHARE * told[after])
    return float(times_s[after + fast[-1]])


def _restarts(speeds: FloatArray) -> int:
    moving = speeds > RESTART_M_S
    return int(np.count_nonzero(moving[1:] & ~moving[:-1]))


def _violations(trace: Trace, speeds: FloatArray, envelope: Envelope) -> dict[str, float]:
    limits, tips, joints = envelope.limits, trace.tips_m, trace.joints_rad
    low, high = np.array(limits.box_min_m), np.array(limits.box_max_m)
    gaps_s = np.diff(trace.times_s)
    jumps = np.linalg.norm(np.diff(tips, axis=0), axis=1) - limits.speed_m_s * gaps_s
    turning = np.abs(_rates(trace.times_s, joints)) / envelope.joint_speed_rad_s
    past = np.maximum(envelope.joint_lower_rad - joints, joints - envelope.joint_upper_rad)
    worst = {
        'impossible commands': float(trace.impossible),
        'not finite': float(np.count_nonzero(~np.isfinite(joints))),
        'out of the box m': float(np.maximum(low - tips, tips - high).max()) - BOX_M,
        'too fast m/s': float(speeds.max()) - SPEED_SLACK * limits.speed_m_s,
        'joint too fast, share': float(turning.max()) - SPEED_SLACK,
        'past a joint end rad': float(past.max()),
        'jump m': float(jumps.max()) - JUMP_M,
    }
    return {name: value for name, value in worst.items() if not value <= 0.0}


def _rates(times_s: FloatArray, joints_rad: FloatArray) -> FloatArray:
    span = 2 * SPEED_WINDOW
    if len(times_s) <= span:
        return np.zeros((1, joints_rad.shape[1]))
    return (joints_rad[span:] - joints_rad[:-span]) / (times_s[span:] - times_s[:-span])[:, None]
