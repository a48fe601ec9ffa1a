"""What is wrong right now, and how bad it is. Pure: ages in, causes out.

All ages are on the monotonic clock. None means that this source is not watched in this
configuration; an age that is not a number counts as too old.
"""

from __future__ import annotations

from dataclasses import dataclass

from magma_ros.data_types import Pose
from magma_ros.errors import ConfigurationError
from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.modes import PlannedEnd
from magma_ros.motion.norms import length
from magma_ros.motion.reason_codes import Reason
from magma_ros.rotations import quaternion_difference


@dataclass(frozen=True)
class WatchdogThresholds:
    """Ages in seconds; docs/safety.md has them as a table. A slow model is not a fault."""

    joints_hold_s: float = 0.05
    joints_stop_s: float = 0.10
    perception_hold_s: float = 0.5
    supervisor_hold_s: float = 0.15
    supervisor_stop_s: float = 0.30
    overrun_hold_s: float = 0.10  # between two ticks of our own loop: 5 periods of 20 ms
    overrun_stop_s: float = 0.20
    estop_s: float = 0.30
    deadman_hold_s: float = 0.2
    presence_hold_s: float = 120.0  # of policy motion without a word of the operator
    actions_hold_s: float = 3.0
    actions_hold_steps: float = 3.0  # times the measured time between actions
    action_period_bounds_s: tuple[float, float] = (0.05, 3.0)
    refused_hold: int = 3  # chunks in a row
    refused_stop: int = 10
    refused_share_hold: int = 5  # of the last 100 chunks
    tracking_m: float = 0.04
    tracking_rad: float = 0.20
    tracking_stop_s: float = 0.20

    def __post_init__(self) -> None:
        """Raises ConfigurationError where a stop would come before the hold it follows."""
        for hold, stop in (
            ('joints_hold_s', 'joints_stop_s'),
            ('supervisor_hold_s', 'supervisor_stop_s'),
            ('overrun_hold_s', 'overrun_stop_s'),
            ('refused_hold', 'refused_stop'),
        ):
            if not getattr(self, hold) <= getattr(self, stop):
                raise ConfigurationError(
                    f'{hold} {getattr(self, hold)} is above {stop} {getattr(self, stop)}: the arm '
                    f'holds first and stops later; lower {hold} or raise {stop}'
                )


@dataclass(frozen=True)
class Observations:
    """What the controller knows about its surroundings in one tick. Ages in seconds."""

    joints_age_s: float | None
    chunk_age_s: float | None  # since the last chunk that was accepted
    action_period_s: float = 0.2  # measured time between chunks
    perception_age_s: float | None = None
    supervisor_age_s: float | None = None
    tick_gap_s: float = 0.0  # since the tick before
    estop_age_s: float | None = None
    is_estop_pressed: bool = False
    deadman_age_s: float | None = None  # since it was heard, pressed or not
    deadman_held_s: float | None = None  # pressed for so long; None: released
    presence_age_s: float = 0.0  # since the operator said or held anything
    confirmed_s: float | None = None  # the present nonce is being confirmed for so long
    refused_in_a_row: int = 0
    refused_of_last: int = 0  # among the last 100 chunks
    off_track_s: float = 0.0  # for how long the arm has been far from its commands
    is_verified: bool = True  # the verifier agreed with the last command
    reported: tuple[Cause, ...] = ()  # by perception, supervisor, Servo, clock
    failed_checks: tuple[str, ...] = ()  # of arming
    planned_end: PlannedEnd | None = None  # of the newest planned motion; None: under way
    is_planned_running: bool = False  # also after its state was left, until Servo is back


def find_causes(
    seen: Observations,
    thresholds: WatchdogThresholds,
    moving_s: float | None,
    is_teleop: bool = False,
) -> tuple[Cause, ...]:
    """Everything that is wrong, worst first.

    ``moving_s`` is for how long the policy has been allowed to move, None when it is not: silence
    of the policy is a fault only while it is asked to move the arm. Silence of the deadman switch
    is one only while a person drives.
    """
    limits = thresholds
    causes = list(seen.reported)
    aged = (
        (Reason.JOINTS_STALE, seen.joints_age_s, limits.joints_hold_s, limits.joints_stop_s),
        (Reason.HEARTBEAT_PERCEPTION, seen.perception_age_s, limits.perception_hold_s, None),
        (
            Reason.HEARTBEAT_SUPERVISOR,
            seen.supervisor_age_s,
            limits.supervisor_hold_s,
            limits.supervisor_stop_s,
        ),
        (Reason.OVERRUN, seen.tick_gap_s, limits.overrun_hold_s, limits.overrun_stop_s),
        (Reason.DEADMAN, seen.deadman_age_s if is_teleop else None, limits.deadman_hold_s, None),
    )
    for reason, age_s, hold_s, stop_s in aged:
        severity = severity_of_age(age_s, hold_s, stop_s)
        if severity is not None:
            causes.append(Cause(reason, severity))
    if seen.is_estop_pressed or is_older(seen.estop_age_s, limits.estop_s):
        causes.append(Cause(Reason.ESTOP, Severity.ESTOP))
    if seen.refused_in_a_row >= limits.refused_hold:
        stops = seen.refused_in_a_row >= limits.refused_stop
        causes.append(Cause(Reason.ACTION_REFUSED, Severity.STOP if stops else Severity.HOLD))
    if is_older(seen.off_track_s, limits.tracking_stop_s):
        causes.append(Cause(Reason.TRACKING, Severity.STOP))
    if not seen.is_verified:
        causes.append(Cause(Reason.VERIFY_FAILED, Severity.STOP))
    if moving_s is not None:
        causes += _causes_of_the_policy(seen, limits, moving_s)
    return tuple(sorted(causes, key=lambda cause: -cause.severity))


def _causes_of_the_policy(
    seen: Observations, limits: WatchdogThresholds, moving_s: float
) -> list[Cause]:
    causes = []
    if not are_actions_fresh(seen, limits, moving_s):
        causes.append(Cause(Reason.ACTION_STALE, Severity.HOLD))
    if seen.refused_of_last >= limits.refused_share_hold:
        causes.append(Cause(Reason.ACTION_REFUSED_SHARE, Severity.HOLD))
    if is_older(min(moving_s, seen.presence_age_s), limits.presence_hold_s):
        causes.append(Cause(Reason.PRESENCE, Severity.HOLD))
    return causes


def are_actions_fresh(
    seen: Observations, thresholds: WatchdogThresholds, moving_s: float = float('inf')
) -> bool:
    """Whether the policy has spoken recently, or has not yet had the time to."""
    shortest, longest = thresholds.action_period_bounds_s
    period_s = min(max(seen.action_period_s, shortest), longest)
    allowed_s = max(thresholds.actions_hold_steps * period_s, thresholds.actions_hold_s)
    if moving_s <= allowed_s:
        return True
    return seen.chunk_age_s is not None and not is_older(seen.chunk_age_s, allowed_s)


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


def severity_of_age(
    age_s: float | None, hold_s: float | None, stop_s: float | None
) -> Severity | None:
    """HOLD or STOP for something that has been silent for too long; None while it is fresh."""
    if is_older(age_s, stop_s):
        return Severity.STOP
    return Severity.HOLD if is_older(age_s, hold_s) else None


def is_older(age_s: float | None, limit_s: float | None) -> bool:
    """Whether an age is over its limit; None is not watched or has no limit."""
    if age_s is None or limit_s is None:
        return False
    return not abs(age_s) <= limit_s  # also for NaN and for stamps from the future
