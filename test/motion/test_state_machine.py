"""Every state with every input: the invariants of the specification, and the usual day."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import Pose
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.state_machine import (
    ControllerState,
    HoldRules,
    Mode,
    Request,
    step,
)
from magma_ros.motion.watchdog import (
    Cause,
    Observations,
    Severity,
    WatchdogThresholds,
    find_causes,
    off_track_since,
)
from magma_ros.rotations import DOWN, make_pose

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
    'camera late': replace(FINE, camera_age_s=1.0),
    'supervisor gone': replace(FINE, supervisor_age_s=1.0),
    'deadman': replace(FINE, deadman_age_s=0.3),
    'garbage': replace(FINE, refused_in_a_row=3),
    'much garbage': replace(FINE, refused_in_a_row=10),
    'off track': replace(FINE, off_track_s=0.3),
    'verifier': replace(FINE, is_verified=False),
    'reported': replace(FINE, reported=(Cause(Reason.CAMERA_FROZEN, Severity.HOLD),)),
    'estop': replace(FINE, is_estop_pressed=True),
    'estop silent': replace(FINE, estop_age_s=0.5),
}
UNKNOWN = ('arm', 17, object())
REQUESTS = (None, *Request, *UNKNOWN)
NOW_S = 100.0
MOVING = {Mode.POLICY}
LATCHED = {Mode.STOP, Mode.ESTOP}
RULES = (HoldRules(), HoldRules(may_resume=True))
STATES = [
    ControllerState(mode, NOW_S - age_s, (), has_faults, NOW_S - age_s / 2, is_resumable)
    for mode, age_s, has_faults, is_resumable in itertools.product(
        Mode, (0.0, 1.0, 4.0, 30.0), (False, True), (False, True)
    )
]


def everything() -> itertools.product:
    return itertools.product(STATES, FAULTS.values(), REQUESTS, (True, False), RULES)


def after(
    state: ControllerState, seen: Observations, request: object, rest: bool, rules: HoldRules
) -> tuple[ControllerState, tuple[Reason, ...]]:
    return step(state, seen, request, rest, NOW_S, hold_rules=rules)  # type: ignore[arg-type]


def test_i1_only_the_operator_leads_out_of_a_stop_and_never_straight_into_motion() -> None:
    for state, seen, request, rest, rules in everything():
        new, _ = after(state, seen, request, rest, rules)
        if state.mode in LATCHED and new.mode not in LATCHED:
            assert (new.mode, request) == (Mode.DISARMED, Request.CLEAR)
            assert rest
        if state.mode is Mode.DISARMED and new.mode is not Mode.DISARMED:
            assert new.mode is Mode.ESTOP or (new.mode, request) == (Mode.READY, Request.ARM)
        if new.may_move and not state.may_move:
            by_itself = rules.may_resume and state.mode is Mode.HOLD and state.is_resumable
            assert request is Request.START or (by_itself and request is None)
            assert seen is FINE or not find_causes(seen, WatchdogThresholds(), None)


def test_i2_estop_is_one_step_away_from_everywhere() -> None:
    for state, seen, request, rest, rules in everything():
        asked = request is Request.ESTOP or seen in (FAULTS['estop'], FAULTS['estop silent'])
        if asked:
            assert after(state, seen, request, rest, rules)[0].mode is Mode.ESTOP


def test_i4_only_policy_moves_and_no_fault_is_survived_in_it() -> None:
    for state, seen, request, rest, rules in everything():
        new, reasons = after(state, seen, request, rest, rules)
        assert new.may_move == (new.mode in MOVING)
        if new.may_move:
            moving_s = NOW_S - state.since_s if state.may_move else None
            assert find_causes(seen, WatchdogThresholds(), moving_s) == ()
            assert request not in (Request.HOLD, Request.DISARM, *UNKNOWN)
        if new.mode in (Mode.HOLD, *LATCHED) and new.mode is not state.mode:
            assert reasons
            assert new.reasons


def test_i5_an_unknown_input_is_a_hold_or_worse() -> None:
    safe = {Mode.DISARMED, Mode.HOLD, *LATCHED}
    for state, seen, request, rest, rules in everything():
        if request in UNKNOWN:
            new, reasons = after(state, seen, request, rest, rules)
            assert new.mode in safe
            assert Reason.UNKNOWN_INPUT in reasons


def test_a_raise_needs_rest() -> None:
    for state, seen, request, _, rules in everything():
        if request in (Request.ARM, Request.START, Request.CLEAR):
            new, reasons = after(state, seen, request, False, rules)
            if new.mode is state.mode:
                assert Reason.REQUEST_REFUSED in reasons
            else:
                assert new.mode in {Mode.HOLD, *LATCHED}


def test_the_usual_day() -> None:
    state, now_s = ControllerState(), 0.0
    for request, mode in (
        (Request.START, Mode.DISARMED),  # one step at a time
        (Request.ARM, Mode.READY),
        (Request.START, Mode.POLICY),
        (None, Mode.POLICY),
        (Request.HOLD, Mode.HOLD),
        (None, Mode.HOLD),
        (Request.START, Mode.POLICY),
        (Request.ESTOP, Mode.ESTOP),
        (Request.ARM, Mode.ESTOP),
        (Request.CLEAR, Mode.DISARMED),
        (Request.ARM, Mode.READY),
        (Request.DISARM, Mode.DISARMED),
    ):
        now_s += 1.0
        state, _ = step(state, FINE, request, True, now_s)
        assert state.mode is mode


def test_a_slow_model_is_no_fault_but_a_silent_one_is() -> None:
    policy = ControllerState(Mode.POLICY, since_s=0.0)
    slow = replace(FINE, chunk_age_s=2.9, action_period_s=0.2)
    assert step(policy, slow, None, False, 50.0)[0].mode is Mode.POLICY
    slower = replace(FINE, chunk_age_s=8.0, action_period_s=2.9)
    assert step(policy, slower, None, False, 50.0)[0].mode is Mode.POLICY
    state, reasons = step(policy, replace(slow, chunk_age_s=3.1), None, False, 50.0)
    assert (state.mode, reasons) == (Mode.HOLD, (Reason.ACTION_STALE,))


def test_the_first_chunk_may_take_its_time() -> None:
    policy = ControllerState(Mode.POLICY, since_s=0.0)
    never = replace(FINE, chunk_age_s=None)
    assert step(policy, never, None, True, 2.9)[0].mode is Mode.POLICY
    assert step(policy, never, None, True, 3.1)[0].mode is Mode.HOLD


def test_a_hold_with_its_cause_becomes_a_stop() -> None:
    hold = ControllerState(Mode.HOLD, 0.0, (Reason.CAMERA_STALE,), True, 0.0)
    late = FAULTS['camera late']
    assert step(hold, late, None, True, 9.0)[0].mode is Mode.HOLD
    assert step(hold, late, None, True, 10.1)[0].mode is Mode.STOP
    clear = replace(hold, has_faults=False, faults_changed_s=1.0)
    assert step(clear, FINE, None, True, 60.0)[0].mode is Mode.HOLD
    assert step(clear, FINE, Request.HOLD, True, 60.0)[0].mode is Mode.HOLD


def test_resuming_by_itself_is_off_and_when_on_bounded() -> None:
    def run(rules: HoldRules, fault_s: float, ask: Request | None = None) -> Mode:
        state = ControllerState(Mode.POLICY, 0.0)
        for tick in range(400):
            now_s = 10.0 + tick * 0.02
            seen = FAULTS['camera late'] if tick * 0.02 < fault_s else FINE
            request = ask if tick == 5 else None
            state, _ = step(state, seen, request, True, now_s, hold_rules=rules)
        return state.mode

    resuming = HoldRules(may_resume=True)
    assert run(HoldRules(), 1.0) is Mode.HOLD
    assert run(resuming, 1.0) is Mode.POLICY
    assert run(resuming, 5.2) is Mode.HOLD
    assert run(resuming, 1.0, Request.HOLD) is Mode.HOLD
    assert run(resuming, 0.0, Request.HOLD) is Mode.HOLD


def test_off_track_counts_from_the_first_tick() -> None:
    here = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    away = Pose(here.translation_m + [0.0, 0.0, 0.041], here.quaternion_xyzw)
    thresholds = WatchdogThresholds()
    assert off_track_since(None, here, here, thresholds, 1.0) is None
    assert off_track_since(None, here, away, thresholds, 1.0) == 1.0
    assert off_track_since(1.0, here, away, thresholds, 1.5) == 1.0
    assert off_track_since(1.0, here, here, thresholds, 1.5) is None


@pytest.mark.parametrize(
    'name', [name for name in FAULTS if name not in ('none', 'policy silent')]
)
def test_every_fault_stops_motion_and_bars_arming(name: str) -> None:
    moving = ControllerState(Mode.POLICY, NOW_S - 1.0)
    assert not step(moving, FAULTS[name], None, False, NOW_S)[0].may_move
    armed, reasons = step(ControllerState(), FAULTS[name], Request.ARM, True, NOW_S)
    assert armed.mode in (Mode.DISARMED, Mode.ESTOP)
    assert reasons
