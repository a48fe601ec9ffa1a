"""Keys as a terminal tells them: repeats, no releases."""

from __future__ import annotations

import os

import numpy as np
import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.teleop.deadman_guard import DeadmanGuard
from magma_ros.teleop.keyboard_device import KeyboardDevice
from magma_ros.teleop.settings import DIRECTIONS, load_device_file
from magma_ros.teleop.terminal_keys import TerminalKeys

SETTINGS = load_device_file('keyboard').settings
TICK_S, REPEAT_S, PAUSE_S = 0.02, 0.033, 0.66  # the last two: X11


class Typist:
    """Characters at their times; :meth:`held` is what the device made of them, tick by tick."""

    def __init__(self, *presses):
        self.times = [
            (at_s, key) for key, since_s, until_s in presses for at_s in _heard(since_s, until_s)
        ]
        self.times.sort()
        self.now_s = -TICK_S
        self.device = KeyboardDevice(SETTINGS, self)

    def poll(self):
        return ''.join(k for at_s, k in self.times if self.now_s - TICK_S < at_s <= self.now_s)

    def close(self):
        pass

    def gestures(self, until_s):
        result = []
        while self.now_s < until_s:
            self.now_s += TICK_S
            result.append((self.now_s, self.device.read(None, self.now_s)))
        return result


def _heard(since_s, until_s):
    yield since_s
    at_s = since_s + PAUSE_S
    while at_s < until_s:
        yield at_s
        at_s += REPEAT_S


@pytest.mark.parametrize(('key', 'meaning'), sorted(SETTINGS.keys.items()))
def test_each_key(key, meaning):
    _, gesture = Typist((key, 0.0, 0.0)).gestures(0.02)[-1]
    shares = [*gesture.twist.linear_m_s / 0.05, *gesture.twist.angular_rad_s / 0.3]
    expected = np.zeros(6)
    if meaning[1:] in DIRECTIONS:
        expected[DIRECTIONS.index(meaning[1:])] = 1.0 if meaning[0] == '+' else -1.0

    assert gesture.is_held
    assert shares == pytest.approx(expected)
    assert gesture.gripper_opening == {'open': 1.0, 'close': 0.0}.get(meaning)


def test_a_tap_moves_five_millimetres_and_lets_go_within_the_first_pause():
    seen = Typist(('w', 0.1, 0.1)).gestures(1.5)
    moved_m = sum(TICK_S * gesture.twist.linear_m_s[0] for _, gesture in seen)
    held = [at_s for at_s, gesture in seen if gesture.is_held]

    assert moved_m == pytest.approx(0.005, abs=0.0015)
    assert held[-1] - 0.1 == pytest.approx(SETTINGS.first_repeat_s, abs=2 * TICK_S)


def test_a_held_key_is_held_through_the_pause_and_let_go_soon_after_the_last_repeat():
    seen = Typist(('w', 0.1, 2.0)).gestures(3.0)
    held = [at_s for at_s, gesture in seen if gesture.is_held]

    assert np.diff(held).max() < 1.5 * TICK_S, 'one press, without a gap'
    assert held[-1] + REPEAT_S > 2.0
    assert held[-1] <= 2.0 + SETTINGS.repeat_gap_s + TICK_S


def test_another_key_takes_its_place_and_an_unknown_one_lets_go():
    seen = dict(Typist(('w', 0.1, 1.5), ('d', 1.5, 3.0)).gestures(3.0))
    later = [gesture.twist.linear_m_s for at_s, gesture in seen.items() if at_s > 2.3]

    assert all(twist[0] == 0.0 for twist in later)
    assert min(twist[1] for twist in later) < 0.0
    typist = Typist(('w', 0.1, 1.5), ('?', 1.2, 1.2))
    held = [gesture.is_held for at_s, gesture in typist.gestures(1.24) if at_s > 1.19]
    assert not all(held)


def test_a_stuck_key_is_let_go_and_stays_so():
    guard, held = DeadmanGuard(SETTINGS.longest_hold_s), {}
    for at_s, gesture in Typist(('w', 0.1, 40.0)).gestures(40.0):
        guard = guard.hear(gesture.is_held, at_s)
        held[at_s] = guard.is_held

    assert all(is_held for at_s, is_held in held.items() if 0.2 < at_s < 30.0)
    assert not any(is_held for at_s, is_held in held.items() if at_s > 30.2)
    assert 'let go' in guard.complaint


def test_a_real_terminal_gives_characters_at_once_and_is_given_back():
    master, slave = os.openpty()
    keys = TerminalKeys(os.ttyname(slave))
    os.write(master, b'ww')

    assert keys.poll() == 'ww'
    assert keys.poll() == ''
    os.close(slave)
    os.close(master)
    assert keys.poll() is None, 'hung up'
    keys.close()


def test_without_a_terminal_it_says_what_to_do(tmp_path):
    with pytest.raises(EnvironmentMissing, match='start teleop_node in one'):
        TerminalKeys(tmp_path / 'none')
