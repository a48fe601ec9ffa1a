"""The state machine as an operator lives with it: arming, driving, holding, clearing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import Pose
from magma_ros.errors import ConfigurationError
from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.modes import ControllerState, Mode, Request, TransitionRules
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.state_machine import speed_share, step
from magma_ros.motion.watchdog import Observations, WatchdogThresholds, off_track_since
from magma_ros.rotations import DOWN, make_pose

FINE = Observations(joints_age_s=0.01, chunk_age_s=0.1)
CONFIRMED = replace(FINE, confirmed_s=60.0)
BLIND = replace(FINE, reported=(Cause(Reason.CAMERA_FROZEN, Severity.HOLD),))
NOW_S = 100.0


def pressed(seen: Observations, held_s: float = 0.01, age_s: float = 0.01) -> Observations:
    return replace(seen, deadman_age_s=age_s, deadman_held_s=held_s)


def test_the_usual_day() -> None:
    state, now_s = ControllerState(), 0.0
    for request, mode in (
        (Request.START, Mode.DISARMED),  # one step at a time
        (Request.ARM, Mode.ARMING),
        (Request.START, Mode.ARMING),
        (None, Mode.READY),  # a second later
        (Request.START, Mode.POLICY),
        (None, Mode.POLICY),
        (Request.HOLD, Mode.HOLD),
        (None, Mode.HOLD),
        (Request.START, Mode.POLICY),
        (Request.ESTOP, Mode.ESTOP),
        (Request.ARM, Mode.ESTOP),
        (Request.CLEAR, Mode.DISARMED),
        (Request.ARM, Mode.ARMING),
        (Request.DISARM, Mode.DISARMED),
        (Request.LEAVE, Mode.FINALIZED),
        (Request.ARM, Mode.FINALIZED),
    ):
        now_s += 1.1
        state, _ = step(state, CONFIRMED, request, True, now_s)
        assert state.mode is mode


@pytest.mark.parametrize(
    ('confirmed_s', 'arming_s', 'mode'),
    [
        (0.9, 2.0, Mode.ARMING),  # the button, not the clock, counts
        (1.1, 2.0, Mode.READY),
        (9.0, 0.9, Mode.ARMING),  # held since before arming began
        (None, 4.9, Mode.ARMING),
        (None, 5.1, Mode.DISARMED),
    ],
)
def test_arming_wants_the_button_held(
    confirmed_s: float | None, arming_s: float, mode: Mode
) -> None:
    state = ControllerState(Mode.ARMING, NOW_S - arming_s)
    new, _ = step(state, replace(FINE, confirmed_s=confirmed_s), None, True, NOW_S)
    assert new.mode is mode


def test_a_check_that_fails_meanwhile_ends_arming() -> None:
    state = ControllerState(Mode.ARMING, NOW_S - 0.5)
    new, reasons = step(state, replace(CONFIRMED, failed_checks=('camera',)), None, True, NOW_S)
    assert (new.mode, new.reasons) == (Mode.DISARMED, (Reason.ARMING_CHECK,))
    assert Reason.ARMING_CHECK in reasons


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


def test_somebody_must_be_there() -> None:
    policy = ControllerState(Mode.POLICY, since_s=0.0)
    alone = replace(FINE, presence_age_s=121.0)
    assert step(policy, alone, None, False, 119.0)[0].mode is Mode.POLICY
    state, _ = step(policy, alone, None, False, 121.0)
    assert (state.mode, state.reasons) == (Mode.HOLD, (Reason.PRESENCE,))


def test_nobody_steers_while_a_planned_motion_is_being_ended() -> None:
    hold = ControllerState(Mode.HOLD, since_s=0.0)
    pressed = replace(FINE, deadman_age_s=0.0, deadman_held_s=0.5)
    ending = replace(pressed, is_planned_running=True)
    assert step(hold, ending, None, True, 10.0)[0].mode is Mode.HOLD
    assert step(hold, pressed, None, True, 10.0)[0].mode is Mode.TELEOP


def test_a_hold_with_its_cause_becomes_a_stop() -> None:
    hold = ControllerState(Mode.HOLD, 0.0, (Reason.CAMERA_FROZEN,), 1, True, 0.0)
    assert step(hold, BLIND, None, True, 9.0)[0].mode is Mode.HOLD
    assert step(hold, BLIND, None, True, 10.1)[0].mode is Mode.STOP
    clear = replace(hold, has_causes=False, causes_changed_s=1.0)
    assert step(clear, FINE, None, True, 60.0)[0].mode is Mode.HOLD
    assert step(clear, FINE, Request.HOLD, True, 60.0)[0].mode is Mode.HOLD


def run(
    rules: TransitionRules, fault_s: float, ask: Request | None = None, fault: Observations = BLIND
) -> Mode:
    state = ControllerState(Mode.POLICY, 0.0)
    for tick in range(400):
        now_s = 10.0 + tick * 0.02
        seen = fault if tick * 0.02 < fault_s else FINE
        request = ask if tick == 5 else None
        state, _ = step(state, seen, request, True, now_s, rules=rules)
    return state.mode


def test_resuming_by_itself_is_off_and_when_on_bounded() -> None:
    resuming = TransitionRules(may_resume=True)
    assert run(TransitionRules(), 1.0) is Mode.HOLD
    assert run(resuming, 1.0) is Mode.POLICY
    assert run(resuming, 5.2) is Mode.HOLD
    assert run(resuming, 1.0, Request.HOLD) is Mode.HOLD
    assert run(resuming, 0.0, Request.HOLD) is Mode.HOLD


def test_not_every_cause_may_resume() -> None:
    conflict = Cause(Reason.PUBLISHER_CONFLICT, Severity.HOLD)
    rivalled = replace(FINE, reported=(conflict,))
    assert run(TransitionRules(may_resume=True), 1.0, fault=rivalled) is Mode.HOLD


def test_a_mild_cause_slows_down_until_it_is_over_for_a_second() -> None:
    slow = replace(FINE, reported=(Cause(Reason.CAMERA_SLOW, Severity.DEGRADED),))
    state, _ = step(ControllerState(Mode.POLICY, 0.0), slow, None, False, 1.0)
    assert (state.mode, speed_share(state, 1.0)) == (Mode.POLICY, 0.25)
    state, _ = step(state, FINE, None, False, 1.9)
    assert speed_share(state, 1.9) == 0.25
    assert speed_share(state, 2.1) == 1.0


@pytest.mark.parametrize('mode', [Mode.READY, Mode.POLICY, Mode.HOLD])
def test_a_new_press_takes_over_and_release_never_gives_back(mode: Mode) -> None:
    state = ControllerState(mode, NOW_S - 1.0)
    taken, _ = step(state, pressed(FINE), None, False, NOW_S)
    assert (taken.mode, taken.reasons) == (Mode.TELEOP, (Reason.TAKEOVER,))
    released, _ = step(taken, replace(FINE, deadman_age_s=0.01), None, False, NOW_S + 1.0)
    assert released.mode is Mode.READY


def test_a_stuck_switch_takes_nothing_over() -> None:
    hold = ControllerState(Mode.HOLD, NOW_S - 1.0)
    assert step(hold, pressed(FINE, held_s=1.5), None, True, NOW_S)[0].mode is Mode.HOLD
    assert step(hold, pressed(FINE, age_s=0.3), None, True, NOW_S)[0].mode is Mode.HOLD


def test_a_silent_switch_holds() -> None:
    teleop = ControllerState(Mode.TELEOP, NOW_S - 1.0)
    assert step(teleop, pressed(FINE, 1.0, 0.19), None, False, NOW_S)[0].mode is Mode.TELEOP
    state, _ = step(teleop, pressed(FINE, 1.0, 0.21), None, False, NOW_S)
    assert (state.mode, state.reasons) == (Mode.HOLD, (Reason.DEADMAN,))


def test_a_person_may_drive_without_a_camera_but_not_without_joints() -> None:
    teleop = ControllerState(Mode.TELEOP, NOW_S - 1.0)
    assert step(teleop, pressed(BLIND, 1.0), None, False, NOW_S)[0].mode is Mode.TELEOP
    deaf = replace(FINE, joints_age_s=0.07)
    assert step(teleop, pressed(deaf, 1.0), None, False, NOW_S)[0].mode is Mode.HOLD
    hold = ControllerState(Mode.HOLD, NOW_S - 1.0)
    assert step(hold, pressed(BLIND), None, True, NOW_S)[0].mode is Mode.TELEOP
    assert step(hold, pressed(deaf), None, True, NOW_S)[0].mode is Mode.HOLD


def test_off_track_counts_from_the_first_tick() -> None:
    here = make_pose(np.array([0.3, 0.0, 0.15]), DOWN)
    away = Pose(here.translation_m + [0.0, 0.0, 0.041], here.quaternion_xyzw)
    thresholds = WatchdogThresholds()
    assert off_track_since(None, here, here, thresholds, 1.0) is None
    assert off_track_since(None, here, away, thresholds, 1.0) == 1.0
    assert off_track_since(1.0, here, away, thresholds, 1.5) == 1.0
    assert off_track_since(1.0, here, here, thresholds, 1.5) is None


@pytest.mark.parametrize(
    ('hold', 'stop'),
    [
        ('joints_hold_s', 'joints_stop_s'),
        ('supervisor_hold_s', 'supervisor_stop_s'),
        ('overrun_hold_s', 'overrun_stop_s'),
        ('refused_hold', 'refused_stop'),
    ],
)
def test_a_stop_before_its_hold_is_refused_by_both_names(hold: str, stop: str) -> None:
    with pytest.raises(ConfigurationError, match=f'{hold} 20.0 is above {stop}'):
        WatchdogThresholds(**{hold: 20.0})
