"""A real controller process between a fake Servo, arm and perception."""

import math
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from magma_ros.data_types import EndEffectorDelta

pytestmark = pytest.mark.ros


def test_arm_moves_with_chunks_only_and_brakes_when_perception_dies(make_rig):
    rig = make_rig()
    rig.send_chunk()
    assert not rig.ask('start'), 'started without having been armed'
    rig.begin_policy()
    time.sleep(0.3)
    assert rig.twists
    assert rig.speed() == 0.0, 'moved without a chunk'

    rig.send_chunk(z_m=-0.03)
    rig.wait_for(lambda: rig.speed() > 0.02)
    assert rig.twists[-1][1].linear_m_s[2] < 0

    rig.perception_speaks = False
    rig.send_chunk(z_m=-0.03)
    rig.wait_for(lambda: rig.state['mode'] == 'hold')
    assert rig.state['reason'] == 'HEARTBEAT_PERCEPTION'
    rig.wait_for(lambda: rig.speed() == 0.0)


def test_nan_chunks_are_refused_and_then_hold(make_rig):
    rig = make_rig()
    rig.begin_policy()
    garbage = EndEffectorDelta(np.array([math.nan, 0.0, 0.0]), np.zeros(3), 1.0)

    for _ in range(3):
        rig.send_chunk(deltas=(garbage,))
        time.sleep(0.1)

    rig.wait_for(lambda: rig.state['mode'] == 'hold')
    assert rig.state['reason'] == 'ACTION_REFUSED'
    assert rig.state['refused'] == 'ACTION_NONFINITE:3'
    assert all(np.isfinite(twist.linear_m_s).all() for _, twist in rig.twists)
    assert rig.speed() == 0.0


def test_silent_joints_stop_and_latch(make_rig):
    rig = make_rig()
    rig.begin_policy()
    rig.send_chunk(z_m=-0.03)
    rig.wait_for(lambda: rig.speed() > 0.02)

    rig.joints_speak = False
    rig.wait_for(lambda: rig.state['mode'] == 'stop')

    assert rig.state['code'] == '130'
    rig.wait_for(lambda: rig.speed() == 0.0)
    assert not rig.ask('start')
    rig.joints_speak = True
    rig.wait_for(lambda: rig.ask('clear'))
    rig.wait_for(lambda: rig.state['mode'] == 'disarmed')


def test_sigterm_brakes_and_sends_zero_last(make_rig):
    rig = make_rig()
    rig.begin_policy()
    rig.send_chunk(z_m=-0.03)
    rig.wait_for(lambda: rig.speed() > 0.02)

    told_s = time.monotonic()
    rig.process.send_signal(signal.SIGTERM)
    assert rig.process.wait(5) == 0
    time.sleep(0.2)

    later = [twist for when_s, twist in rig.twists if when_s > told_s]
    speeds = [float(np.abs(twist.linear_m_s).max()) for twist in later]
    assert speeds[-1] == 0.0
    # Not cut off: 2 m/s2 take 40 mm/s off in a period.
    assert all(after > before - 0.06 for before, after in zip(speeds, speeds[1:], strict=False))


def test_emergency_stop_needs_its_heartbeat(make_rig):
    rig = make_rig('require_estop:=true')
    rig.wait_for(lambda: rig.state.get('mode') == 'estop')

    assert rig.state['reason'] == 'ESTOP'
    assert not rig.ask('arm')
    assert not rig.ask('clear')


def test_unknown_parameter_is_named(domain_id):
    result = subprocess.run(
        [sys.executable, '-m', 'magma_ros.nodes.controller_node', '--ros-args', '-p', 'rat:=1.0'],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 2
    assert 'controller_node has no parameters rat' in result.stderr
    assert 'rate_hz' in result.stderr


def test_controller_loads_no_heavy_modules():
    program = (
        'import sys, magma_ros.nodes.controller_node\n'
        'heavy = {"torch", "mujoco", "onnxruntime"} & set(sys.modules)\n'
        'sys.exit(f"the controller imports {heavy}" if heavy else 0)'
    )
    result = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
