"""The controller's tick with an injected clock and an arm that goes where it is told."""

from dataclasses import replace

import numpy as np
import pytest

from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits, Pose
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.state_machine import Mode, Request
from magma_ros.motion.watchdog import Cause, Severity
from magma_ros.nodes.control_tick import ControlTick, Inputs

FRAME = 'wx250s/base_link'
PERIOD_S = 0.02
DOWN = np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])


class Bench:
    """An arm that follows its twists exactly, and time that passes only when asked."""

    def __init__(self):
        self.control = ControlTick(FRAME, MotionLimits(), PERIOD_S)
        self.now_s, self.position = 100.0, np.array([0.3, 0.0, 0.15])
        self.chunk, self.sequence, self.commands = None, 0, []
        self.inputs = Inputs(None, 0.0, None)

    def arm(self):
        pose = Pose(self.position.copy(), DOWN)
        return ArmState(np.zeros(6), np.zeros(6), pose, 1.0, round(self.now_s * 1e9))

    def see(self, **changes):
        self.inputs = replace(self.inputs, arm=self.arm(), chunk=self.chunk, **changes)
        return self.inputs

    def ask(self, request):
        return self.control.ask(request, self.see(), self.now_s)

    def run(self, ticks, **changes):
        for _ in range(ticks):
            result = self.control.tick(self.see(**changes), self.now_s, round(self.now_s * 1e9))
            if result is not None:
                self.position = self.position + PERIOD_S * result.twist.linear_m_s
            self.commands.append(result)
            self.now_s += PERIOD_S

    def send(self, dz=-0.03):
        self.sequence += 1
        delta = EndEffectorDelta(np.array([0.0, 0.0, dz]), np.zeros(3), 1.0)
        stamp_ns = round(self.now_s * 1e9)
        self.chunk = DeltaChunk((delta,), 0.2, stamp_ns, 'measured', FRAME, self.sequence)

    def speed(self):
        return float(np.abs(self.commands[-1].twist.linear_m_s).max())


@pytest.fixture
def bench():
    bench = Bench()
    assert bench.ask(Request.ARM)
    assert bench.ask(Request.START)
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


def test_leaving_brakes_in_any_state(bench):
    bench.send()
    bench.run(8)
    assert not bench.control.is_at_rest

    bench.control.is_leaving = True
    bench.run(25)

    assert bench.control.is_at_rest
    assert bench.speed() == 0.0


def test_tracking_error_stops(bench):
    bench.send()
    for _ in range(30):
        start = bench.position.copy()
        bench.run(1)
        bench.position = start - [0.0, 0.05 * (bench.now_s > 100.1), 0.0]

    assert bench.control.state.mode is Mode.STOP
    assert Reason.TRACKING in bench.control.state.reasons
