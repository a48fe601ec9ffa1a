"""Processes that die, fall silent or talk out of turn; the judge does not ask the controller."""

import os
import signal
import sys
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from magma_ros.data_types import MotionLimits, Twist  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.arm_messages import twist_to_message  # noqa: E402

pytestmark = pytest.mark.ros
LIMITS = MotionLimits()
PERIOD_S = 0.02
CRASHING = """
import sys
import numpy as np
from magma_ros.nodes import control_tick, controller_node

tick = control_tick.ControlTick.tick

def crash(self, *inputs):
    result = tick(self, *inputs)
    if result is not None and np.abs(result.twist.linear_m_s).max() > 0.05:
        raise ValueError('a bug')
    return result

control_tick.ControlTick.tick = crash
sys.exit(controller_node.main())
"""


def speeds_since(rig, when_s):
    return [float(np.abs(t.linear_m_s).max()) for at_s, t in list(rig.twists) if at_s > when_s]


def keep_sending(rig, seconds):
    """What a policy does that knows nothing of what happened."""
    for _ in range(round(seconds / 0.1)):
        rig.send_chunk(z_m=-0.02)
        time.sleep(0.1)


def test_without_its_supervisor_the_arm_stops_and_nobody_starts_it_again(make_rig):
    rig = make_rig('require_supervisor:=true', 'supervisor_hold_s:=1.0', 'supervisor_stop_s:=2.0')
    patient = ('controller_hold_s:=1.0', 'controller_stop_s:=3.0', 'perception_hold_s:=2.0')
    supervisor = rig.start_node('supervisor_node', (*patient, 'require_estop:=false'))
    rig.begin_policy()
    rig.send_chunk(z_m=-0.04)
    rig.wait_for(lambda: rig.speed() > 0.02)

    os.kill(supervisor.pid, signal.SIGKILL)
    rig.wait_for(lambda: rig.state['mode'] in ('hold', 'stop'))
    rig.wait_for(lambda: rig.speed() == 0.0)
    rig.wait_for(lambda: rig.state['mode'] == 'stop')
    assert rig.state['reason'] == 'HEARTBEAT_SUPERVISOR'

    stopped_s = time.monotonic()
    rig.start_node('supervisor_node', (*patient, 'require_estop:=false'))
    rig.wait_for(lambda: 'HEARTBEAT_SUPERVISOR' not in rig.state['active'].split())
    keep_sending(rig, 1.0)
    rig.is_button_held = False
    time.sleep(0.5)
    for request in ('start', 'arm', 'clear'):
        assert not rig.ask(request), f'{request} without the confirmation'
    assert max(speeds_since(rig, stopped_s), default=0.0) == 0.0
    rig.is_button_held = True
    rig.wait_for(lambda: rig.ask('clear'))
    rig.wait_for(lambda: rig.state['mode'] == 'disarmed')


def test_when_the_controller_is_killed_the_arm_comes_to_rest_by_itself(make_rig):
    rig = make_rig(with_servo=True)
    rig.begin_policy()
    start = rig.truth[-1][1:]

    def is_fast():
        (t0, *p0), (t1, *p1) = rig.truth[-6], rig.truth[-1]
        return np.linalg.norm(np.subtract(p1, p0)) / (t1 - t0) > 0.06

    rig.send_chunk(z_m=-0.05)
    rig.wait_for(is_fast)
    at = np.array(rig.truth[-1][1:])
    os.kill(rig.process.pid, signal.SIGKILL)
    rig.wait_for(lambda: rig.truth[-1][1:] == rig.truth[-20][1:])

    travelled_m = np.linalg.norm(np.array(rig.truth[-1][1:]) - at)
    assert travelled_m <= 0.030
    assert np.linalg.norm(np.subtract(rig.truth[-1][1:], start)) > 0.005


def test_a_servo_that_is_started_again_is_noticed_and_told_what_it_must_know(make_rig):
    rig = make_rig(with_servo=True)
    rig.begin_policy()

    os.kill(rig.servo.pid, signal.SIGKILL)
    rig.wait_for(lambda: rig.state['mode'] == 'hold')
    assert rig.state['reason'] == 'SERVO'
    assert not rig.ask('start')
    height_m = rig.truth[-1][3]
    rig.start_node('servo_stand_in_node')
    rig.wait_for(lambda: rig.state['mode'] == 'stop' or 'SERVO' not in rig.state['active'])
    if rig.state['mode'] == 'stop':  # a busy machine needs longer than a HOLD may last
        rig.wait_for(lambda: rig.ask('clear'))
    if rig.state['mode'] != 'hold':
        rig.arm()
    rig.wait_for(lambda: rig.ask('start'))
    rig.send_chunk(z_m=-0.04)

    rig.wait_for(lambda: rig.truth[-1][3] < height_m - 0.02)


def test_a_bug_in_the_loop_brakes_first_and_then_ends(make_rig):
    rig = make_rig(program=CRASHING)
    rig.begin_policy()
    rig.send_chunk(z_m=-0.04)

    assert rig.process.wait(30) == 1
    time.sleep(0.2)
    speeds = speeds_since(rig, 0.0)
    assert max(speeds) > 0.04
    assert speeds[-1] == 0.0
    steps = np.abs(np.diff(speeds))
    assert steps.max() <= LIMITS.brake_m_s2 * PERIOD_S * 1.01


def test_taking_over_letting_go_falling_silent_and_the_emergency_stop(make_rig):
    rig = make_rig()
    rig.estop, rig.deadman = True, False
    rig.begin_policy()
    rig.send_chunk(z_m=-0.05)
    rig.wait_for(lambda: rig.speed() > 0.05)

    rig.deadman = True
    rig.wait_for(lambda: rig.state['mode'] == 'teleop')
    taken_s = time.monotonic()
    for _ in range(15):
        rig.send_chunk(z_m=0.002, source='teleop', reference='commanded')
        rig.send_chunk(z_m=-0.05)  # the policy has no say now
        time.sleep(0.03)
    rig.wait_for(lambda: rig.twists[-1][1].linear_m_s[2] >= 0.0)
    downwards = [t.linear_m_s[2] for at_s, t in rig.twists if at_s > taken_s + 0.5]
    assert min(downwards, default=0.0) >= 0.0
    steps = np.diff([twist.linear_m_s for _, twist in list(rig.twists)], axis=0)
    assert np.linalg.norm(steps, axis=1).max() <= LIMITS.brake_m_s2 * PERIOD_S * 1.01

    rig.deadman = False
    rig.wait_for(lambda: rig.state['mode'] == 'ready')
    rig.deadman = True
    rig.wait_for(lambda: rig.state['mode'] == 'teleop')
    rig.deadman = None
    rig.wait_for(lambda: rig.state['mode'] == 'hold')
    assert rig.state['reason'] == 'DEADMAN'

    rig.estop = None
    rig.wait_for(lambda: rig.state['mode'] == 'estop')
    rig.estop = True
    rig.wait_for(lambda: 'ESTOP' not in rig.state['active'].split())
    keep_sending(rig, 0.5)
    assert rig.state['mode'] == 'estop', 'released is not cleared'
    rig.wait_for(lambda: rig.ask('clear'))
    rig.wait_for(lambda: rig.state['mode'] == 'disarmed')


def test_somebody_else_on_servos_topic_holds_the_arm_and_bars_arming(make_rig):
    rig = make_rig()
    rig.begin_policy()
    rogue = topics.TWIST.publisher(rig.node)
    command = twist_to_message(Twist.zero(), 1, 'wx250s/base_link')

    rogue.publish(command)
    rig.wait_for(lambda: rig.state['mode'] == 'hold')
    assert rig.state['reason'] == 'PUBLISHER_CONFLICT'
    assert rig.ask('disarm')
    rogue.publish(command)
    rig.wait_for(lambda: 'only_publisher' in rig.state['arming'])
    rogue.publish(command)
    time.sleep(0.1)
    assert not rig.ask('arm')


def test_the_supervisor_loads_nothing_heavy():
    program = (
        'import sys, magma_ros.nodes.supervisor_node\n'
        'heavy = {"torch", "mujoco", "onnxruntime", "scipy", "pinocchio"} & set(sys.modules)\n'
        'sys.exit(f"the supervisor imports {heavy}" if heavy else 0)'
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', program]) == 0
