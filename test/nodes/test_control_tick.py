"""The controller's tick with an injected clock and an arm that goes where it is told."""

from dataclasses import replace

import numpy as np
import pytest
from control_bench import PERIOD_S, Bench

from magma_ros.data_types import MotionLimits
from magma_ros.motion.causes import Cause, Severity
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.modes import Mode, Request
from magma_ros.motion.reason_codes import Reason


@pytest.fixture
def bench():
    bench = Bench()
    bench.arm_and_start()
    return bench


def test_nothing_is_commanded_while_disarmed():
    bench = Bench()
    bench.send()
    bench.run(5)

    assert bench.commands == [None] * 5
    assert not bench.ask(Request.START)
    assert bench.control.reasons == (Reason.REQUEST_REFUSED,)


def test_a_chunk_is_executed_once_and_then_the_arm_waits(bench):
    bench.run(10)
    assert bench.speed() == 0.0
    bench.send(-0.03)
    bench.run(60)

    assert bench.position[2] == pytest.approx(0.12, abs=0.002)
    assert bench.speed() < 1e-3
    assert bench.control.state.mode is Mode.POLICY


def test_silence_of_the_policy_holds_after_three_seconds(bench):
    bench.send()
    bench.run(140)
    assert bench.control.state.mode is Mode.POLICY
    bench.run(15)

    assert bench.control.state.mode is Mode.HOLD
    assert bench.control.state.reasons == (Reason.ACTION_STALE,)


def test_reported_fault_brakes_within_the_limits(bench):
    bench.send()
    bench.run(8)
    moving = bench.speed()
    assert moving > 0.03
    bench.run(25, reported=(Cause(Reason.CAMERA_STALE, Severity.HOLD),))

    assert bench.control.state.mode is Mode.HOLD
    assert bench.speed() == 0.0
    speeds = [abs(c.twist.linear_m_s[2]) for c in bench.commands[7:]]
    # One tick may still follow the jerk limit upwards; then it only slows down.
    assert max(speeds) <= moving + 0.01
    assert all(
        after <= before + 1e-9 for before, after in zip(speeds[2:], speeds[3:], strict=False)
    )


def test_refused_chunks_stop_and_can_be_cleared(bench):
    for _ in range(10):
        bench.send(dz=5.0)
        bench.run(1)
    bench.run(30)
    assert bench.control.state.mode is Mode.STOP
    assert bench.control.refused == {'ACTION_RANGE': 10}

    assert bench.ask(Request.CLEAR)
    assert bench.control.state.mode is Mode.DISARMED
    assert bench.control.refused == {}


def test_a_share_of_refused_chunks_holds_and_starting_forgives(bench):
    for _ in range(5):
        bench.send(dz=5.0)
        bench.run(1)
        bench.send(dz=0.001)
        bench.run(9)
    assert bench.control.state.reasons == (Reason.ACTION_REFUSED_SHARE,)
    bench.run(10)

    assert bench.ask(Request.START)
    bench.run(50)
    assert bench.control.state.mode is Mode.POLICY


def test_leaving_brakes_in_any_state(bench):
    bench.send()
    bench.run(8)
    assert not bench.control.is_at_rest

    bench.ask(Request.LEAVE)
    bench.run(25)

    assert bench.control.is_at_rest
    assert bench.speed() == 0.0
    assert bench.control.state.mode is Mode.FINALIZED


def test_tracking_error_stops(bench):
    bench.send()
    for _ in range(30):
        start = bench.position.copy()
        bench.run(1)
        bench.position = start - [0.0, 0.05 * (bench.now_s > 100.1), 0.0]

    assert bench.control.state.mode is Mode.STOP
    assert Reason.TRACKING in bench.control.state.reasons


def test_the_nonce_of_before_the_last_fault_does_not_count(bench):
    before = bench.control.nonce
    bench.run(2, is_estop_pressed=True)
    bench.run(20, is_estop_pressed=False)
    old = Confirmation(before, 0.0, bench.now_s)

    assert not bench.control.ask(Request.CLEAR, bench.see(confirmation=old), bench.now_s)
    assert Reason.CONFIRMATION in bench.control.reasons
    assert bench.control.nonce != before
    assert bench.ask(Request.CLEAR)


def test_arming_takes_a_second_of_the_button():
    bench = Bench()
    assert bench.ask(Request.ARM)
    bench.run(45)
    assert bench.control.state.mode is Mode.ARMING
    assert bench.commands == [None] * 45
    bench.run(10)
    assert bench.control.state.mode is Mode.READY


@pytest.mark.parametrize('ticks_before', [3, 9, 14, 25])
def test_taking_over_is_smooth(bench, ticks_before):
    limits = MotionLimits()
    bench.send(dz=-0.05)
    bench.run(ticks_before)
    start, old = bench.position.copy(), bench.commands[-1].twist.linear_m_s
    sent_from = len(bench.commands)
    gesture = None
    for tick in range(40):
        gesture = bench.make_chunk([0.02, 0, 0], 'teleop', 'commanded') if tick == 2 else gesture
        held = {'deadman_age_s': 0.0, 'deadman_held_s': 0.02 * tick + 0.001}
        bench.run(1, teleop_chunk=gesture, **held)
        if tick == 1:
            bench.send(dz=-0.05)  # the policy goes on talking

    assert bench.control.state.mode is Mode.TELEOP
    speeds = [old, *(one.twist.linear_m_s for one in bench.commands[sent_from:])]
    steps = np.linalg.norm(np.diff(speeds, axis=0), axis=1)
    assert steps.max() <= limits.brake_m_s2 * PERIOD_S * 1.001
    assert bench.commands[sent_from + 3].twist.linear_m_s[0] > 0.0  # at once
    # What the policy wanted is over: only the way to brake is left of it.
    braking_m = np.linalg.norm(old) ** 2 / (2 * limits.acceleration_m_s2) + 0.004
    assert start[2] - bench.position[2] < braking_m
    assert bench.position[0] - start[0] == pytest.approx(0.02, abs=0.002)


def test_an_old_gesture_is_not_taken_up(bench):
    gesture = bench.make_chunk([0.02, 0, 0], 'teleop', 'commanded')
    bench.run(5, teleop_chunk=gesture)
    bench.run(40, deadman_age_s=0.0, deadman_held_s=0.001)

    assert bench.control.state.mode is Mode.TELEOP
    assert bench.position[0] == pytest.approx(0.3)


def test_a_clock_jump_forgets_what_was_to_be_done(bench):
    bench.send(dz=-0.05)
    bench.run(5)
    at = bench.position[2]
    jumped = (Cause(Reason.CLOCK_JUMP, Severity.HOLD),)
    bench.run(1, clock_jumped_s=bench.now_s, reported=jumped)
    bench.run(30, reported=())
    assert bench.ask(Request.START)
    bench.run(30)

    assert at - bench.position[2] < 0.012  # the way to brake
    bench.sequence = 0
    bench.send()
    bench.run(1)
    assert bench.control.refused == {'SEQ': 1}  # a recording that is played again


def test_a_loop_that_stood_still_begins_from_rest(bench):
    bench.send(dz=-0.05)
    bench.run(12)
    assert bench.speed() > 0.05
    bench.now_s += 1.0
    bench.run(5)

    assert bench.control.state.mode is Mode.STOP
    assert bench.control.state.reasons == (Reason.OVERRUN,)
    braked, *silence = bench.commands[-5:]
    assert not braked.twist.linear_m_s.any()
    assert silence == [None] * 4


def test_a_mild_cause_is_a_quarter_of_the_speed(bench):
    slow = (Cause(Reason.CAMERA_SLOW, Severity.DEGRADED),)
    fastest = 0.0
    for _ in range(4):
        bench.send(dz=-0.03)
        for _ in range(10):
            bench.run(1, reported=slow)
            fastest = max(fastest, bench.speed())

    assert bench.control.state.mode is Mode.POLICY
    assert 0.9 * 0.0375 < fastest <= 0.0375 * 1.2


def test_a_button_that_was_never_let_go_is_nobody(bench):
    since_s = bench.now_s - 1.0
    bench.control.thresholds = replace(bench.control.thresholds, presence_hold_s=2.0)
    for _ in range(30):
        button = Confirmation(bench.control.nonce, since_s, bench.now_s)
        bench.send(dz=0.0)
        bench.run(5, confirmation=button)

    assert bench.control.state.reasons == (Reason.PRESENCE,)
