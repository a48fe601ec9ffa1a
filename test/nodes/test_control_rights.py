"""Who may move what: confirmations, presence, the gripper, and who else moves the arm."""

from dataclasses import replace

import numpy as np
import pytest
from control_bench import PERIOD_S, Bench

from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.modes import Mode, Request
from magma_ros.motion.reason_codes import Reason


@pytest.fixture
def bench():
    bench = Bench()
    bench.arm_and_start()
    return bench


def test_while_a_planned_motion_moves_the_arm_it_is_not_at_rest(bench):
    bench.ask(Request.HOLD)
    bench.run(5)
    assert bench.ask(Request.HOME)
    bench.inputs = replace(bench.inputs, is_planned_running=True)
    bench.run(3)
    assert bench.control.state.mode is Mode.PLANNED
    assert bench.speed() == 0.0
    bench.ask(Request.HOLD)
    assert not bench.ask(Request.START), 'it still brakes'
    assert not bench.control.is_at_rest
    bench.inputs = replace(bench.inputs, is_planned_running=False)
    assert bench.ask(Request.START)


def test_a_replayed_confirmation_starts_nothing(bench):
    used = bench.control.nonce
    bench.ask(Request.DISARM)
    bench.run(30)
    replayed = Confirmation(used, 0.0, bench.now_s)
    assert not bench.control.ask(Request.ARM, bench.see(confirmation=replayed), bench.now_s)
    assert Reason.CONFIRMATION in bench.control.reasons
    arming = bench.control.nonce
    assert bench.ask(Request.ARM)
    assert bench.control.nonce == arming, 'the button that is held arms'
    bench.run(52)
    assert bench.control.state.mode is Mode.READY
    replayed = Confirmation(arming, 0.0, bench.now_s)
    assert not bench.control.ask(Request.START, bench.see(confirmation=replayed), bench.now_s)


@pytest.mark.parametrize('fresh', [True, False])
def test_a_taped_switch_is_nobody(bench, fresh):
    silent = Confirmation('', 0.0, 0.0)
    taped = {'deadman_held_s': np.inf, 'confirmation': silent}
    for tick in range(200):
        bench.send(dz=0.0)
        bench.run(1, deadman_age_s=0.01 if fresh else 0.02 * tick, **taped)
        bench.now_s += 0.68
        bench.control._ticked_s = bench.now_s - PERIOD_S

    assert bench.control.state.reasons == (Reason.PRESENCE,)


def test_the_gripper_is_sent_what_was_decided_while_the_arm_may_move(bench):
    def close(ticks=1):
        bench.chunk = replace(bench.make_chunk([0, 0, 0]), step_s=0.1)
        step = replace(bench.chunk.deltas[0], gripper_opening=0.0)
        bench.chunk = replace(bench.chunk, deltas=(step, step))
        bench.run(ticks)

    bench.run(10)
    assert bench.control.gripper_wish is None, 'an open gripper is no wish to open'
    close(3)
    assert bench.control.gripper_wish is None, 'one step is no decision'
    bench.run(40)
    assert bench.control.gripper_wish == 0.0
    for request in (Request.HOLD, Request.START):
        bench.ask(request)
        assert bench.control.gripper_wish is None or bench.control.state.mode is Mode.POLICY
        bench.run(10)
        assert bench.control.gripper_wish is None, 'what was decided before the hold is void'
    close(40)
    assert bench.control.gripper_wish == 0.0
    for request in (Request.ESTOP, Request.CLEAR):
        bench.ask(request)
        assert bench.control.gripper_wish is None
        bench.run(30)
