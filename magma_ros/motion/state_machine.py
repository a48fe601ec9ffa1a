"""Who may move when: one pure function from state and inputs to the next state.

    DISARMED --arm--> ARMING --checks, held 1 s--> READY --start--> POLICY
                                                    | ^               |
                                            deadman v | released      | deadman
                                                   TELEOP <-----------+
    READY, HOLD --home, approach, retreat--> PLANNED --arrived--> READY
    READY, POLICY, TELEOP, PLANNED --cause, hold--> HOLD --start--> POLICY, --deadman--> TELEOP
    STOP, ESTOP (latched) <-- worse causes --clear--> DISARMED
    FINALIZED <-- leave, from anywhere; nothing leads out

The arm moves in POLICY and TELEOP by commands to Servo, and in PLANNED along a trajectory that was
checked as a whole while Servo is paused; every other mode brakes and then holds the pose. Raising
is up to the operator, one step at a time: at rest, with no cause active, and with the nonce of the
present state confirmed (``confirmation.py``). The policy has no transition rights: its silence or
its nonsense can stop the arm, nothing it says can start it. Faults win over requests of the same
tick.

Of the machine in docs/safety.md, DEGRADED is no mode but a share of the speed inside POLICY and
TELEOP, so that its end is not a raise nobody made; UNCONFIGURED is a process that has not started
(it refuses with exit code 2); SERVICE is left to the drivers, which alone can switch torque.
"""

from __future__ import annotations

from dataclasses import replace

from magma_ros.motion.causes import CAUSE_RULES, Cause, Severity
from magma_ros.motion.modes import (
    ARMED,
    DESTINATIONS,
    ControllerState,
    Mode,
    Request,
    TransitionRules,
)
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.watchdog import (
    Observations,
    WatchdogThresholds,
    are_actions_fresh,
    find_causes,
)

DEFAULT_THRESHOLDS = WatchdogThresholds()
DEFAULT_RULES = TransitionRules()
_RAISES = {
    (Mode.DISARMED, Request.ARM): Mode.ARMING,
    (Mode.READY, Request.START): Mode.POLICY,
    (Mode.HOLD, Request.START): Mode.POLICY,
    (Mode.STOP, Request.CLEAR): Mode.DISARMED,
    (Mode.ESTOP, Request.CLEAR): Mode.DISARMED,
    **{(mode, goal): Mode.PLANNED for mode in (Mode.READY, Mode.HOLD) for goal in DESTINATIONS},
}
_CAUSE_OF_REQUEST = {
    Request.HOLD: Cause(Reason.OPERATOR_HOLD, Severity.HOLD),
    Request.ESTOP: Cause(Reason.ESTOP, Severity.ESTOP),
}
_ASKING = (Request.ARM, Request.START, Request.CLEAR, Request.DISARM, *DESTINATIONS)
_UNKNOWN_INPUT = Cause(Reason.UNKNOWN_INPUT, Severity.HOLD)


def step(
    state: ControllerState,
    seen: Observations,
    request: Request | None,
    is_at_rest: bool,
    now_s: float,
    thresholds: WatchdogThresholds = DEFAULT_THRESHOLDS,
    rules: TransitionRules = DEFAULT_RULES,
) -> tuple[ControllerState, tuple[Reason, ...]]:
    """The next state, and every reason that is active or that a request was refused for.

    A request of unknown type counts as something wrong, not as noise.
    """
    moving_s = now_s - state.since_s if state.mode is Mode.POLICY else None
    causes = find_causes(seen, thresholds, moving_s, state.mode is Mode.TELEOP)
    state = _note_causes(state, causes, now_s)
    if request is not None:
        asked = _CAUSE_OF_REQUEST.get(request) if isinstance(request, Request) else _UNKNOWN_INPUT
        causes = (*causes, asked) if asked else causes
    reasons = tuple(cause.reason for cause in causes)

    if state.mode is Mode.FINALIZED or request is Request.LEAVE:
        leaving = state.mode is not Mode.FINALIZED
        return (_enter(state, Mode.FINALIZED, reasons, now_s) if leaving else state), reasons
    lower = _lower(state, causes, now_s, rules)
    if lower is None and state.mode is Mode.TELEOP and seen.deadman_held_s is None:
        lower = _enter(state, Mode.READY, (), now_s)  # released
    if lower is not None:
        return lower, (*reasons, Reason.REQUEST_REFUSED) if request in _ASKING else reasons
    if request in _ASKING:
        granted, refusals = _answer(state, request, seen, causes, is_at_rest, now_s)
        return granted, (*reasons, *refusals)
    if request is not None:
        return state, reasons
    if state.mode is Mode.ARMING:
        armed, refusals = _finish_arming(state, seen, is_at_rest, now_s, rules)
        return armed, (*reasons, *refusals)
    if state.mode is Mode.PLANNED:
        return _finish_planned(state, seen, now_s), reasons
    return _go_by_hand_or_resume(state, seen, causes, now_s, thresholds, rules), reasons


def speed_share(
    state: ControllerState, now_s: float, rules: TransitionRules = DEFAULT_RULES
) -> float:
    """Share of the speed limit that this state allows: 0 brakes, 1 is all of it."""
    if not state.may_move:
        return 0.0
    since_s = state.degraded_s
    is_degraded = since_s is not None and now_s - since_s < rules.degraded_clear_s
    return rules.degraded_share if is_degraded else 1.0


def _note_causes(
    state: ControllerState, causes: tuple[Cause, ...], now_s: float
) -> ControllerState:
    """Keep since when there are causes to hold, and when there was one to go slowly."""
    holds = any(cause.severity >= Severity.HOLD for cause in causes)
    if state.has_causes != holds:
        state = replace(state, has_causes=holds, causes_changed_s=now_s)
    if any(cause.severity is Severity.DEGRADED for cause in causes):
        state = replace(state, degraded_s=now_s)
    return state


def _lower(
    state: ControllerState, causes: tuple[Cause, ...], now_s: float, rules: TransitionRules
) -> ControllerState | None:
    """Towards ESTOP as far as the worst cause asks; None when that is where we are."""
    if state.mode is Mode.TELEOP:
        own = (Reason.OPERATOR_HOLD, Reason.DEADMAN, Reason.UNKNOWN_INPUT)
        causes = tuple(c for c in causes if not c.allows_takeover or c.reason in own)
    worst = max((cause.severity for cause in causes), default=Severity.WARN)
    if worst < Severity.HOLD:
        return None
    reasons = tuple(cause.reason for cause in causes if cause.severity == worst)
    if worst is Severity.ESTOP and state.mode is not Mode.ESTOP:
        below = state.reasons if state.mode is Mode.STOP else ()
        return replace(_enter(state, Mode.ESTOP, reasons, now_s), latched_below=below)
    if worst is Severity.STOP and state.mode in ARMED:
        return _enter(state, Mode.STOP, reasons, now_s)
    if state.mode is Mode.ARMING:
        return _enter(state, Mode.DISARMED, reasons, now_s)
    if worst is Severity.HOLD and state.mode in ARMED and state.mode is not Mode.HOLD:
        resumable = state.mode is Mode.POLICY and all(CAUSE_RULES[r].may_resume for r in reasons)
        return replace(_enter(state, Mode.HOLD, reasons, now_s), is_resumable=resumable)
    if state.mode is Mode.HOLD:
        caused_s = now_s - max(state.since_s, state.causes_changed_s) if state.has_causes else 0.0
        if caused_s > rules.stop_after_s:
            return _enter(state, Mode.STOP, reasons, now_s)
        if not all(CAUSE_RULES[r].may_resume for r in reasons):
            return replace(state, is_resumable=False) if state.is_resumable else None
    return None


def _answer(
    state: ControllerState,
    request: Request | None,
    seen: Observations,
    causes: tuple[Cause, ...],
    is_at_rest: bool,
    now_s: float,
) -> tuple[ControllerState, tuple[Reason, ...]]:
    """What the operator asked for, or why not."""
    refused = (Reason.REQUEST_REFUSED,)
    if request is Request.DISARM:
        if state.mode in (*ARMED, Mode.ARMING):
            return _enter(state, Mode.DISARMED, (), now_s), ()
        return state, refused
    raised = _RAISES.get((state.mode, request))  # type: ignore[arg-type]
    if raised is None or not is_at_rest:
        return state, refused
    # Inputs may be silent while disarmed, so clearing asks only that nothing would latch again.
    barring = Severity.STOP if raised is Mode.DISARMED else Severity.HOLD
    if any(cause.severity >= barring for cause in causes):
        return state, refused
    if seen.confirmed_s is None:
        return state, (Reason.CONFIRMATION, *refused)
    if raised is Mode.ARMING and seen.failed_checks:
        return state, (Reason.ARMING_CHECK, *refused)
    if state.latched_below:  # one clear opens one latch
        return _enter(state, Mode.STOP, state.latched_below, now_s), ()
    return _enter(state, raised, (), now_s), ()


def _finish_arming(
    state: ControllerState,
    seen: Observations,
    is_at_rest: bool,
    now_s: float,
    rules: TransitionRules,
) -> tuple[ControllerState, tuple[Reason, ...]]:
    """READY when the button was held and every check passes; DISARMED when that fails."""
    arming_s = now_s - state.since_s
    failure = None
    if seen.failed_checks or not is_at_rest:
        failure = Reason.ARMING_CHECK
    elif arming_s > rules.arming_within_s:
        failure = Reason.CONFIRMATION
    if failure is not None:
        return _enter(state, Mode.DISARMED, (failure,), now_s), (failure,)
    if seen.confirmed_s is None or min(arming_s, seen.confirmed_s) < rules.arming_hold_s:
        return state, ()
    return _enter(state, Mode.READY, (), now_s), ()


def _finish_planned(state: ControllerState, seen: Observations, now_s: float) -> ControllerState:
    """READY on arrival, HOLD when there was no way, or when the deadman switch is pressed.

    Whoever wants to steer lets go and presses again: Servo has to be back first.
    """
    if _is_pressed(state, seen, now_s):
        return _enter(state, Mode.HOLD, (Reason.TAKEOVER,), now_s)
    end = seen.planned_end
    if end is None or end.begun_s != state.since_s:
        return state
    if end.has_arrived:
        return _enter(state, Mode.READY, (), now_s)
    return _enter(state, Mode.HOLD, (Reason.PLAN,), now_s)


def _is_pressed(state: ControllerState, seen: Observations, now_s: float) -> bool:
    """Since this mode began: a switch that is stuck changes nothing."""
    return seen.deadman_held_s is not None and seen.deadman_held_s < now_s - state.since_s


def _go_by_hand_or_resume(
    state: ControllerState,
    seen: Observations,
    causes: tuple[Cause, ...],
    now_s: float,
    thresholds: WatchdogThresholds,
    rules: TransitionRules,
) -> ControllerState:
    """TELEOP when the deadman switch is pressed; or back to POLICY when a HOLD may resume."""
    if state.mode not in ARMED or state.mode is Mode.TELEOP or seen.is_planned_running:
        return state
    is_heard = seen.deadman_age_s is not None and (seen.deadman_age_s <= thresholds.deadman_hold_s)
    holding = [cause for cause in causes if cause.severity >= Severity.HOLD]
    may_take_over = all(cause.allows_takeover for cause in holding)
    if _is_pressed(state, seen, now_s) and is_heard and may_take_over:
        return _enter(state, Mode.TELEOP, (Reason.TAKEOVER,), now_s)
    if (
        rules.may_resume
        and state.mode is Mode.HOLD
        and state.is_resumable
        and not holding
        and now_s - max(state.since_s, state.causes_changed_s) >= rules.resume_clear_s
        and now_s - state.since_s <= rules.resume_within_s
        and are_actions_fresh(seen, thresholds)
    ):
        return _enter(state, Mode.POLICY, (), now_s)
    return state


def _enter(
    state: ControllerState, mode: Mode, reasons: tuple[Reason, ...], now_s: float
) -> ControllerState:
    return ControllerState(
        mode,
        now_s,
        reasons,
        state.changes + (mode is not Mode.ARMING),  # ARMING goes on with what armed it
        state.has_causes,
        state.causes_changed_s,
        state.degraded_s,
    )
