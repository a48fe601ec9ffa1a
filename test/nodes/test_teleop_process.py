"""A real teleop_node beside a real controller: a person takes over from a policy and lets go."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

import rclpy  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from sensor_msgs.msg import Joy  # noqa: E402

from magma_ros.data_types import MotionLimits  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.process_environment import process_environment  # noqa: E402
from magma_ros.ros.status_messages import status_values  # noqa: E402
from magma_ros.ros.teleop_topics import JOY, TELEOP_STATE  # noqa: E402

pytestmark = pytest.mark.ros
PERIOD_S = 0.02
LEFT_SHOULDER, LEFT_TRIGGER, RIGHT_TRIGGER = 9, 4, 5
LIMITS = MotionLimits()


class Person:
    """A gamepad 50 times a second, as game_controller_node would publish it."""

    def __init__(self, node):
        self.is_plugged_in, self.is_pressed, self.up = True, False, 0.0
        self._joys = JOY.publisher(node)
        self.infos, self.state = [], ''
        topics.ACTION_INFO.subscribe(node, lambda m: self.infos.append(status_values(m)))
        TELEOP_STATE.subscribe(node, lambda m: setattr(self, 'state', m.message))
        self._timer = node.create_timer(PERIOD_S, self._publish)

    def _publish(self):
        axes, buttons = [0.0] * 6, [0] * 15
        axes[RIGHT_TRIGGER], buttons[LEFT_SHOULDER] = -self.up, int(self.is_pressed)
        if self.is_plugged_in:
            self._joys.publish(Joy(axes=axes, buttons=buttons))


@pytest.fixture
def policy():
    """Keeps asking for the way down, whoever steers."""
    stopped, threads = threading.Event(), []

    def start(rig):
        def send():
            while not stopped.wait(0.2):
                rig.send_chunk(z_m=-0.02)

        threads.append(threading.Thread(target=send))
        threads[0].start()

    yield start
    stopped.set()
    for thread in threads:
        thread.join()


def test_taking_over_with_a_gamepad_and_letting_go(make_rig, policy):
    rig = make_rig()
    person = Person(rig.node)
    process = rig.start_node('teleop_node', ('devices:=joy',))
    rig.wait_for(lambda: person.state == 'nobody steers')
    rig.begin_policy()
    policy(rig)
    rig.wait_for(lambda: rig.speed() > 0.03)

    person.up, person.is_pressed = 1.0, True
    rig.wait_for(lambda: rig.state['mode'] == 'teleop')
    assert rig.state['reason'] == 'TAKEOVER'
    rig.wait_for(lambda: rig.twists[-1][1].linear_m_s[2] > 0.03)
    by_hand = [info for info in person.infos if info['source'] == 'teleop']
    assert by_hand[-1]['model'] == 'joy'
    assert len(by_hand[-1]['model_sha256']) == 64

    person.is_pressed = False
    rig.wait_for(lambda: rig.state['mode'] == 'ready')
    rig.wait_for(lambda: rig.speed() == 0.0)
    time.sleep(0.6)  # three more chunks of the policy
    assert (rig.state['mode'], rig.speed()) == ('ready', 0.0)
    steps = np.diff([twist.linear_m_s for _, twist in list(rig.twists)], axis=0)
    assert np.linalg.norm(steps, axis=1).max() <= LIMITS.brake_m_s2 * PERIOD_S * 1.01

    person.is_pressed = True
    rig.wait_for(lambda: rig.state['mode'] == 'teleop')
    person.is_plugged_in = False
    rig.wait_for(lambda: rig.state['mode'] == 'ready')
    rig.wait_for(lambda: '/joy is silent' in person.state)
    person.is_plugged_in, person.up = True, 0.0
    time.sleep(0.3)
    assert rig.state['mode'] == 'ready', 'a switch that was held all the time is no new press'

    person.is_pressed = False
    time.sleep(0.2)
    person.is_pressed = True
    rig.wait_for(lambda: rig.state['mode'] == 'teleop')
    os.kill(process.pid, signal.SIGKILL)
    rig.wait_for(lambda: rig.state['mode'] == 'hold')
    assert rig.state['reason'] == 'DEADMAN'


def test_a_held_key_in_a_terminal_is_a_held_switch_and_moves_its_way(domain_id):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('listener', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    held, ways = [], []
    topics.DEADMAN.subscribe(node, lambda m: held.append(m.data))
    topics.ACTION_CHUNK.subscribe(node, lambda m: ways.append(m.points[0].positions))
    terminal, its_end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, '-m', 'magma_ros.nodes.teleop_node'],
        env=process_environment(domain_id),
        stdin=its_end,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(its_end, termios.TIOCSCTTY, 0),
    )

    def wait_for(is_so):
        deadline_s = time.monotonic() + 45.0
        while not is_so():
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            executor.spin_once(0.02)

    try:
        wait_for(lambda: held[-1:] == [False])
        os.write(terminal, b'd')
        wait_for(lambda: held[-1] and ways)
        assert all(way[1] <= 0.0 for way in ways)
        assert min(way[1] for way in ways) == pytest.approx(-0.05 * PERIOD_S)
        wait_for(lambda: not held[-1])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)
    assert process.returncode == 0
    assert termios.tcgetattr(its_end)[3] & termios.ICANON, 'the terminal is as it was'
