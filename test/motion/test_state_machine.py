"""Every state with every input: the invariants of the specification."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from magma_ros.motion.causes import CAUSE_RULES, Cause, Severity
from magma_ros.motion.modes import (
    ARMED,
    DESTINATIONS,
    LATCHED,
    MOVING,
    ControllerState,
    Mode,
    PlannedEnd,
    Request,
)
from magma_ros.motion.modes import TransitionRules as Rules
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.state_machine import speed_share, step
from magma_ros.motion.watchdog import Observations, WatchdogThresholds, find_causes

NOW_S = 100.0
FINE = Observations(joints_age_s=0.01, chunk_age_s=0.1)
NAN = float('nan')
FAULTS = {
    'none': FINE,
    'joints late': replace(FINE, joints_age_s=0.07),
    'joints gone': replace(FINE, joints_age_s=0.2),
    'joints never': replace(FINE, joints_age_s=float('inf')),
    'age not a number': replace(FINE, joints_age_s=NAN),
    'age from the future': replace(FINE, joints_age_s=-1.0),
    'policy silent': replace(FINE, chunk_age_s=4.0),
    'perception silent': replace(FINE, perception_age_s=1.0),
    'supervisor late': replace(FINE, supervisor_age_s=0.2),
    'supervisor gone': replace(FINE, supervisor_age_s=1.0),
    'loop stood still': replace(FINE, tick_gap_s=0.5),
    'garbage': replace(FINE, refused_in_a_row=3),
    'much garbage': replace(FINE, refused_in_a_row=10),
    'some garbage': replace(FINE, refused_of_last=5),
    'off track': replace(FINE, off_track_s=0.3),
    'verifier': replace(FINE, is_verified=False),
    'reported': replace(FINE, reported=(Cause(Reason.CAMERA_FROZEN, Severity.HOLD),)),
    'slow': replace(FINE, reported=(Cause(Reason.CAMERA_SLOW, Severity.DEGRADED),)),
    'estop': replace(FINE, is_estop_pressed=True),
    'estop silent': replace(FINE, estop_age_s=0.5),
    'check fails': replace(FINE, failed_checks=('workspace_box',)),
}
# Faults that matter in some modes only, and what does not stop the arm.
NOT_ALWAYS = {'none', 'policy silent', 'some garbage', 'slow', 'check fails'}
UNKNOWN = ('arm', 17)
REQUESTS = (None, *Request, *UNKNOWN)
# Silent, held since before any mode began, pressed just now, gone silent while pressed, released.
DEADMAN = {
    'none': {},
    'stuck': {'deadman_age_s': 0.01, 'deadman_held_s': float('inf')},
    'pressed': {'deadman_age_s': 0.01, 'deadman_held_s': 0.005},
    'silent': {'deadman_age_s': 0.5, 'deadman_held_s': 0.9},
}
SITUATIONS = [
    *(('none', {'confirmed_s': confirmed_s}) for confirmed_s in (None, 0.5, 1.5)),
    *((name, pressed) for name, pressed in DEADMAN.items() if pressed),
    *(('none', {'planned_end': PlannedEnd(NOW_S - 1.0, arrived)}) for arrived in (True, False)),
]
STATES = [
    ControllerState(
        mode,
        NOW_S - age_s,
        (),
        0,
        age_s > 1.0,
        NOW_S - age_s / 2,
        None,
        age_s < 2.0 and mode is Mode.HOLD,
        (Reason.TRACKING,) if mode is Mode.ESTOP and age_s > 1.0 else (),
    )
    for mode, age_s in itertools.product(Mode, (0.01, 1.0, 30.0))
]


@dataclass(frozen=True)
class Case:
    state: ControllerState
    fault: str
    seen: Observations
    request: object
    is_at_rest: bool
    deadman: str
    new: ControllerState
    reasons: tuple[Reason, ...]


@pytest.fixture(scope='module')
def cases() -> list[Case]:
    return list(_every_case())


def _every_case() -> Iterator[Case]:
    rules = Rules(may_resume=True)
    product = itertools.product(STATES, FAULTS.items(), SITUATIONS, REQUESTS)
    for state, (fault, seen), (deadman, held), request in product:
        whole = replace(seen, **held)
        for rest in (True, False):
            new, reasons = step(state, whole, request, rest, NOW_S, rules=rules)  # type: ignore[arg-type]
            yield Case(state, fault, whole, request, rest, deadman, new, reasons)


def test_i1_no_way_from_a_stop_into_motion_but_by_the_operators_steps(cases: list[Case]) -> None:
    for case in cases:
        old, new = case.state.mode, case.new.mode
        if old in LATCHED and new not in LATCHED:
            assert (new, case.request) in ((Mode.DISARMED, Request.CLEAR), FINAL)
        if old is Mode.DISARMED and new is not old:
            assert new is Mode.ESTOP or (new, case.request) in ((Mode.ARMING, Request.ARM), FINAL)
        if old is Mode.ARMING and new not in (old, Mode.DISARMED, Mode.ESTOP, Mode.FINALIZED):
            assert new is Mode.READY
            assert case.seen.confirmed_s == 1.5
            assert not case.seen.failed_checks
        if new in MOVING and old not in MOVING:
            by_request = case.request is Request.START and case.seen.confirmed_s is not None
            resumed = old is Mode.HOLD and case.state.is_resumable and case.request is None
            by_hand = new is Mode.TELEOP and case.deadman == 'pressed'
            assert old in (Mode.READY, Mode.HOLD)
            assert by_request or resumed or by_hand


FINAL = (Mode.FINALIZED, Request.LEAVE)


def test_i2_estop_is_one_step_away_from_everywhere(cases: list[Case]) -> None:
    for case in cases:
        if case.request is Request.ESTOP or case.fault in ('estop', 'estop silent'):
            wanted = {Mode.ESTOP, Mode.FINALIZED}  # which brakes, and ends
            if case.state.mode is not Mode.FINALIZED and case.request is not Request.LEAVE:
                wanted = {Mode.ESTOP}
            assert case.new.mode in wanted


def test_i3_one_clear_opens_one_latch(cases: list[Case]) -> None:
    opened = 0
    for case in cases:
        if case.state.mode is Mode.ESTOP and case.new.mode is not Mode.ESTOP:
            if case.state.latched_below and case.request is Request.CLEAR:
                assert case.new.mode is Mode.STOP
                assert case.new.changes == case.state.changes + 1  # a new nonce for the next
                opened += 1
            else:
                assert case.new.mode in (Mode.DISARMED, Mode.FINALIZED)
    assert opened


def test_i3_a_stop_below_an_emergency_stop_is_remembered() -> None:
    stopped = ControllerState(Mode.STOP, 0.0, (Reason.TRACKING,))
    below, _ = step(stopped, FAULTS['estop'], None, True, NOW_S)
    assert (below.mode, below.latched_below) == (Mode.ESTOP, (Reason.TRACKING,))
    confirmed = replace(FINE, confirmed_s=0.1)
    once, _ = step(below, confirmed, Request.CLEAR, True, NOW_S)
    assert (once.mode, once.reasons) == (Mode.STOP, (Reason.TRACKING,))
    assert step(once, confirmed, Request.CLEAR, True, NOW_S)[0].mode is Mode.DISARMED


def test_i4_only_two_modes_move_and_no_fault_is_survived_in_them(cases: list[Case]) -> None:
    for case in cases:
        assert case.new.may_move == (case.new.mode in MOVING)
        assert (speed_share(case.new, NOW_S) > 0.0) == case.new.may_move
        if case.new.mode is Mode.POLICY:
            moving_s = NOW_S - case.state.since_s if case.state.mode is Mode.POLICY else None
            causes = find_causes(case.seen, WatchdogThresholds(), moving_s)
            assert all(cause.severity < Severity.HOLD for cause in causes)
        if case.new.mode is Mode.TELEOP:
            causes = find_causes(case.seen, WatchdogThresholds(), None, True)
            holding = [cause for cause in causes if cause.severity >= Severity.HOLD]
            assert all(cause.allows_takeover for cause in holding)
            assert case.deadman in ('stuck', 'pressed')
        if case.new.mode in (Mode.HOLD, *LATCHED) and case.new.mode is not case.state.mode:
            assert case.new.reasons
            assert case.new.changes == case.state.changes + 1


def test_i5_an_unknown_input_is_a_hold_or_worse(cases: list[Case]) -> None:
    for case in cases:
        if case.request in UNKNOWN:
            assert not case.new.may_move
            assert case.new.mode not in (Mode.READY, Mode.ARMING)
            assert Reason.UNKNOWN_INPUT in case.reasons


def test_a_raise_needs_rest_the_nonce_and_nothing_wrong(cases: list[Case]) -> None:
    raising = (Request.ARM, Request.START, Request.CLEAR)
    raised = {
        (Request.ARM, Mode.ARMING),
        (Request.START, Mode.POLICY),
        (Request.CLEAR, Mode.DISARMED),
    }
    granted = 0
    for case in cases:
        if case.request not in raising or case.state.mode in (Mode.FINALIZED, Mode.ARMING):
            continue
        if (case.request, case.new.mode) in raised and case.new.mode is not case.state.mode:
            granted += 1
            assert case.is_at_rest
            assert case.seen.confirmed_s is not None
            assert Reason.REQUEST_REFUSED not in case.reasons
        elif not (case.state.latched_below and case.new.mode is Mode.STOP):
            assert Reason.REQUEST_REFUSED in case.reasons
    assert granted > 100


def test_a_planned_motion_begins_like_a_policy_and_every_fault_ends_it(cases: list[Case]) -> None:
    begun, ended = 0, set()
    for case in cases:
        old, new = case.state.mode, case.new.mode
        if new is Mode.PLANNED and old is not new:
            begun += 1
            assert old in (Mode.READY, Mode.HOLD)
            assert case.request in DESTINATIONS
            assert case.is_at_rest
            assert case.seen.confirmed_s is not None
            causes = find_causes(case.seen, WatchdogThresholds(), None)
            assert all(cause.severity < Severity.HOLD for cause in causes)
        if old is Mode.PLANNED:
            is_steered = case.deadman == 'pressed' and case.request is None
            goes_on = case.fault in NOT_ALWAYS and not is_steered
            assert goes_on or new is not Mode.PLANNED
            assert new not in MOVING
            ended.add(new)
            if new is Mode.READY:
                assert case.seen.planned_end == PlannedEnd(case.state.since_s, True)
    assert begun > 10
    assert ended == set(Mode) - {Mode.ARMING, *MOVING}


def test_a_planned_motion_ends_where_it_was_granted_to() -> None:
    planned = ControllerState(Mode.PLANNED, 5.0)
    for end, mode in (
        (None, Mode.PLANNED),
        (PlannedEnd(4.0, True), Mode.PLANNED),  # an earlier one
        (PlannedEnd(5.0, True), Mode.READY),
        (PlannedEnd(5.0, False), Mode.HOLD),
    ):
        new, _ = step(planned, replace(FINE, planned_end=end), None, False, NOW_S)
        assert new.mode is mode
    assert new.reasons == (Reason.PLAN,)


def test_no_confirmation_is_good_for_two_raises(cases: list[Case]) -> None:
    for case in cases:
        if case.new.mode is not case.state.mode:
            is_same_button = case.new.mode is Mode.ARMING
            assert case.new.changes == case.state.changes + (not is_same_button)


def test_lowering_never_waits_for_anything(cases: list[Case]) -> None:
    for case in cases:
        old = case.state.mode
        if case.request is Request.LEAVE:
            assert case.new.mode is Mode.FINALIZED
        if case.request is Request.HOLD and old in ARMED and old is not Mode.HOLD:
            assert case.new.mode in (Mode.HOLD, *LATCHED)


def test_every_cause_that_can_arise_is_in_the_table() -> None:
    seen = set()
    for observed, moving in itertools.product(FAULTS.values(), (None, 500.0)):
        old = replace(observed, presence_age_s=500.0, deadman_age_s=9.0)
        seen |= {
            (c.reason, c.severity) for c in find_causes(old, WatchdogThresholds(), moving, True)
        }
    assert len(seen) > 15
    for reason, severity in seen:
        assert severity in CAUSE_RULES[reason].severities, reason.name


@pytest.mark.parametrize('name', sorted(set(FAULTS) - NOT_ALWAYS))
def test_every_fault_stops_motion_and_bars_arming(name: str) -> None:
    moving = ControllerState(Mode.POLICY, NOW_S - 1.0)
    assert not step(moving, FAULTS[name], None, False, NOW_S)[0].may_move
    confirmed = replace(FAULTS[name], confirmed_s=2.0)
    armed, reasons = step(ControllerState(), confirmed, Request.ARM, True, NOW_S)
    assert armed.mode in (Mode.DISARMED, Mode.ESTOP)
    assert Reason.REQUEST_REFUSED in reasons
