"""Who may move when: one pure function from state and inputs to the next state.

    DISARMED --arm--> READY --start--> POLICY          only the operator goes this way
                        |   <--start--   |
                        +----> HOLD <----+             causes and ``hold``; brakes, then stays
    STOP, ESTOP (latched) <-- worse causes --clear--> DISARMED

The arm moves in POLICY only; every other mode brakes and then holds the pose. The policy has no
transition rights: its silence or its nonsense can stop the arm, nothing it says can start it.
Faults win over requests made in the same tick. Not in this version of docs/safety.md's machine:
ARMING, TELEOP, DEGRADED, SERVICE.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.watchdog import (
    Cause,
    Observations,
    Severity,
    WatchdogThresholds,
    are_actions_fresh,
    find_causes,
)


class Mode(enum.Enum):
    """What the controller does."""

    DISARMED = 'disarmed'
    READY = 'ready'
    POLICY = 'policy'
    HOLD = 'hold'
    STOP = 'stop'
    ESTOP = 'estop'


class Request(enum.Enum):
    """What the operator can ask for."""

    ARM = 'arm'
    START = 'start'
    HOLD = 'hold'
    CLEAR = 'clear'
    DISARM = 'disarm'
    ESTOP = 'estop'


@dataclass(frozen=True)
class HoldRules:
    """How a HOLD ends without the operator."""

    stop_after_s: float = 10.0  # with its cause still there: STOP
    may_resume: bool = False  # go on by itself, the operator's choice
    resume_clear_s: float = 0.5  # nothing wrong for this long
    resume_within_s: float = 5.0  # and the hold not longer than this


@dataclass(frozen=True)
class ControllerState:
    """The mode, since when, and why. Times on the monotonic clock."""

    mode: Mode = Mode.DISARMED
    since_s: float = 0.0
    reasons: tuple[Reason, ...] = ()  # what led here
    has_faults: bool = False
    faults_changed_s: float = 0.0  # since when that is so
    is_resumable: bool = False  # held while moving, and not by the operator

    @property
    def may_move(self) -> bool:
        """Whether commands may contain motion other than braking."""
        return self.mode is Mode.POLICY


DEFAULT_THRESHOLDS = WatchdogThresholds()
DEFAULT_HOLD_RULES = HoldRules()
_RAISES = {
    (Mode.DISARMED, Request.ARM): Mode.READY,
    (Mode.READY, Request.START): Mode.POLICY,
    (Mode.HOLD, Request.START): Mode.POLICY,
    (Mode.STOP, Request.CLEAR): Mode.DISARMED,
    (Mode.ESTOP, Request.CLEAR): Mode.DISARMED,
}
_ARMED = (Mode.READY, Mode.POLICY, Mode.HOLD)
_OPERATOR_HOLD = Cause(Reason.OPERATOR_HOLD, Severity.HOLD)
_OPERATOR_ESTOP = Cause(Reason.ESTOP, Severity.ESTOP)
_UNKNOWN_INPUT = Cause(Reason.UNKNOWN_INPUT, Severity.HOLD)


def step(
    state: ControllerState,
    seen: Observations,
    request: Request | None,
    is_at_rest: bool,
    now_s: float,
    thresholds: WatchdogThresholds = DEFAULT_THRESHOLDS,
    hold_rules: HoldRules = DEFAULT_HOLD_RULES,
) -> tuple[ControllerState, tuple[Reason, ...]]:
    """The next state, and every reason that is active or that a request was refused for.

    A request of unknown type counts as something wrong, not as noise.
    """
    moving_s = now_s - state.since_s if state.mode is Mode.POLICY else None
    faults = find_causes(seen, thresholds, moving_s)
    if state.has_faults != bool(faults):
        state = replace(state, has_faults=bool(faults), faults_changed_s=now_s)
    causes = faults + _causes_of(request)
    reasons = tuple(cause.reason for cause in causes)

    lower = _lower(state, causes, now_s, hold_rules)
    if lower is not None:
        return lower, reasons
    if request not in (Request.ARM, Request.START, Request.CLEAR, Request.DISARM):
        resumed = _resume(state, seen, thresholds, now_s, hold_rules)
        return (state if causes else resumed), reasons
    granted = _grant(state, request, causes, is_at_rest, now_s)
    if granted is not None:
        return granted, reasons
    return state, (*reasons, Reason.REQUEST_REFUSED)


def _causes_of(request: Request | None) -> tuple[Cause, ...]:
    if request is None:
        return ()
    if not isinstance(request, Request):
        return (_UNKNOWN_INPUT,)
    if request is Request.HOLD:
        return (_OPERATOR_HOLD,)
    return (_OPERATOR_ESTOP,) if request is Request.ESTOP else ()


def _lower(
    state: ControllerState, causes: tuple[Cause, ...], now_s: float, rules: HoldRules
) -> ControllerState | None:
    """Towards ESTOP as far as the worst cause asks; None when that is where we are."""
    if not causes:
        return None
    worst = max(cause.severity for cause in causes)
    reasons = tuple(cause.reason for cause in causes if cause.severity == worst)
    if worst is Severity.ESTOP and state.mode is not Mode.ESTOP:
        return _enter(state, Mode.ESTOP, reasons, now_s)
    if worst is Severity.STOP and state.mode in _ARMED:
        return _enter(state, Mode.STOP, reasons, now_s)
    if worst is Severity.HOLD and state.mode in (Mode.READY, Mode.POLICY):
        resumable = state.mode is Mode.POLICY and _OPERATOR_HOLD not in causes
        return replace(_enter(state, Mode.HOLD, reasons, now_s), is_resumable=resumable)
    if state.mode is Mode.HOLD:
        fault_s = now_s - max(state.since_s, state.faults_changed_s) if state.has_faults else 0.0
        if fault_s > rules.stop_after_s:
            return _enter(state, Mode.STOP, reasons, now_s)
        if state.is_resumable and _OPERATOR_HOLD in causes:
            return replace(state, is_resumable=False)
    return None


def _grant(
    state: ControllerState,
    request: Request,
    causes: tuple[Cause, ...],
    is_at_rest: bool,
    now_s: float,
) -> ControllerState | None:
    """What the operator asked for, if the state and the causes allow it."""
    if request is Request.DISARM:
        return _enter(state, Mode.DISARMED, (), now_s) if state.mode in _ARMED else None
    raised = _RAISES.get((state.mode, request))
    if raised is None or not is_at_rest:
        return None
    # Inputs may be silent while disarmed, so clearing asks only that nothing would latch again.
    barring = Severity.STOP if raised is Mode.DISARMED else Severity.HOLD
    if any(cause.severity >= barring for cause in causes):
        return None
    return _enter(state, raised, (), now_s)


def _resume(
    state: ControllerState,
    seen: Observations,
    thresholds: WatchdogThresholds,
    now_s: float,
    rules: HoldRules,
) -> ControllerState:
    """Back to POLICY without the operator, if that was allowed beforehand."""
    if (
        rules.may_resume
        and state.mode is Mode.HOLD
        and state.is_resumable
        and not state.has_faults
        and now_s - max(state.since_s, state.faults_changed_s) >= rules.resume_clear_s
        and now_s - state.since_s <= rules.resume_within_s
        and are_actions_fresh(seen, thresholds)
    ):
        return _enter(state, Mode.POLICY, (), now_s)
    return state


def _enter(
    state: ControllerState, mode: Mode, reasons: tuple[Reason, ...], now_s: float
) -> ControllerState:
    return ControllerState(mode, now_s, reasons, state.has_faults, state.faults_changed_s)
