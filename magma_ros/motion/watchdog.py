"""What is wrong right now, and how bad it is. Pure: ages in, causes out.

All ages are on the monotonic clock. None means that this source is not watched in this
configuration; an age that is not a number counts as too old.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from magma_ros.data_types import Pose
from magma_ros.motion.norms import length
from magma_ros.motion.reason_codes import Reason
from magma_ros.rotations import quaternion_difference


class Severity(enum.IntEnum):
    """What a cause demands. The most severe wins."""

    HOLD = 1  # brake, stay, may go on when the operator says so
    STOP = 2  # brake, latch
    ESTOP = 3  # brake, latch, the input must be released first


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong."""

    reason: Reason
    severity: Severity


@dataclass(frozen=True)
class WatchdogThresholds:
    """Ages in seconds; defaults from docs/safety.md. A slow model is not a fault."""

    joints_hold_s: float = 0.05
    joints_stop_s: float = 0.10
    camera_hold_s: float = 0.5
    camera_stop_s: float = 10.0
    supervisor_hold_s: float = 0.15
    supervisor_stop_s: float = 0.30
    recorder_hold_s: float = 1.0
    deadman_hold_s: float = 0.2
    estop_s: float = 0.30
    actions_hold_s: float = 3.0
    actions_hold_steps: float = 3.0  # times the measured time between actions
    action_period_bounds_s: tuple[float, float] = (0.05, 3.0)
    refused_hold: int = 3  # chunks in a row
    refused_stop: int = 10
    tracking_m: float = 0.04
    tracking_rad: float = 0.20
    tracking_stop_s: float = 0.20


@dataclass(frozen=True)
class Observations:
    """What the controller knows about its surroundings in one tick. Ages in seconds."""

    joints_age_s: float | None
    chunk_age_s: float | None  # since the last chunk that was accepted
    action_period_s: float = 0.2  # measured time between chunks
    camera_age_s: float | None = None
    supervisor_age_s: float | None = None
    recorder_age_s: float | None = None
    deadman_age_s: float | None = None
    estop_age_s: float | None = None
    is_estop_pressed: bool = False
    refused_in_a_row: int = 0
    off_track_s: float = 0.0  # for how long the arm has been far from its commands
    is_verified: bool = True  # the verifier agreed with the last command
    reported: tuple[Cause, ...] = ()  # by perception, supervisor, recorder, robot


def find_causes(
    seen: Observations, thresholds: WatchdogThresholds, moving_s: float | None
) -> tuple[Cause, ...]:
    """Everything that is wrong, worst first.

    ``moving_s`` is for how long the policy has been allowed to move, None when it is not: silence
    of the policy is a fault only while it is asked to move the arm.
    """
    limits = thresholds
    causes = list(seen.reported)
    aged = (
        (Reason.JOINTS_STALE, seen.joints_age_s, limits.joints_hold_s, limits.joints_stop_s),
        (Reason.CAMERA_STALE, seen.camera_age_s, limits.camera_hold_s, limits.camera_stop_s),
        (
            Reason.HEARTBEAT_SUPERVISOR,
            seen.supervisor_age_s,
            limits.supervisor_hold_s,
            limits.supervisor_stop_s,
        ),
        (Reason.HEARTBEAT_RECORDER, seen.recorder_age_s, limits.recorder_hold_s, None),
        (Reason.DEADMAN, seen.deadman_age_s, limits.deadman_hold_s, None),
    )
    for reason, age_s, hold_s, stop_s in aged:
        if _is_older(age_s, stop_s):
            causes.append(Cause(reason, Severity.STOP))
        elif _is_older(age_s, hold_s):
            causes.append(Cause(reason, Severity.HOLD))
    if seen.is_estop_pressed or _is_older(seen.estop_age_s, limits.estop_s):
        causes.append(Cause(Reason.ESTOP, Severity.ESTOP))
    if seen.refused_in_a_row >= limits.refused_hold:
        stops = seen.refused_in_a_row >= limits.refused_stop
        causes.append(Cause(Reason.ACTION_REFUSED, Severity.STOP if stops else Severity.HOLD))
    if _is_older(seen.off_track_s, limits.tracking_stop_s):
        causes.append(Cause(Reason.TRACKING, Severity.STOP))
    if not seen.is_verified:
        causes.append(Cause(Reason.VERIFY_FAILED, Severity.STOP))
    if moving_s is not None and not are_actions_fresh(seen, limits, moving_s):
        causes.append(Cause(Reason.ACTION_STALE, Severity.HOLD))
    return tuple(sorted(causes, key=lambda cause: -cause.severity))


def are_actions_fresh(
    seen: Observations, thresholds: WatchdogThresholds, moving_s: float = float('inf')
) -> bool:
    """Whether the policy has spoken recently, or has not yet had the time to."""
    shortest, longest = thresholds.action_period_bounds_s
    period_s = min(max(seen.action_period_s, shortest), longest)
    allowed_s = max(thresholds.actions_hold_steps * period_s, thresholds.actions_hold_s)
    if moving_s <= allowed_s:
        return True
    return seen.chunk_age_s is not None and not _is_older(seen.chunk_age_s, allowed_s)


def off_track_since(
    since_s: float | None,
    measured: Pose,
    commanded: Pose,
    thresholds: WatchdogThresholds,
    now_s: float,
) -> float | None:
    """Since when the arm has been further from its commands than it may; None while it follows."""
    away = length(commanded.translation_m - measured.translation_m)
    turned = length(quaternion_difference(measured.quaternion_xyzw, commanded.quaternion_xyzw))
    if away <= thresholds.tracking_m and turned <= thresholds.tracking_rad:
        return None
    return now_s if since_s is None else since_s


def _is_older(age_s: float | None, limit_s: float | None) -> bool:
    if age_s is None or limit_s is None:
        return False
    return not abs(age_s) <= limit_s  # also for NaN and for stamps from the future
