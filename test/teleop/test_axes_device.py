"""Gamepads and 6-axis mice: what each axis and button of the shipped files means."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.teleop.axes_device import AxesDevice, AxesReading
from magma_ros.teleop.axis_shaping import LowPass, shape_axis
from magma_ros.teleop.settings import load_device_file

REST = AxesReading((0.0,) * 6, (0,) * 15)
FASTEST = {'x': 0.10, 'y': 0.10, 'z': 0.10, 'roll': 0.5, 'pitch': 0.5, 'yaw': 0.5}
DIRECTIONS = list(FASTEST)


class FakeSource:
    def __init__(self):
        self.reading = REST

    def poll(self, now_s):
        return self.reading

    def close(self):
        pass


class Hand:
    """A device without smoothing, and the hand on it."""

    def __init__(self, name):
        self.source = FakeSource()
        self.settings = replace(load_device_file(name).settings, smoothing_s=0.0)
        self.device = AxesDevice(self.settings, self.source)
        self.now_s = 0.0
        self.move()

    def move(self, axes=None, buttons=()):
        values, pressed = [0.0] * 6, [0] * 15
        for axis, value in (axes or {}).items():
            values[axis] = value
        for button in buttons:
            pressed[button] = 1
        self.source.reading = AxesReading(tuple(values), tuple(pressed))
        self.now_s += 0.02
        return self.device.read(None, self.now_s)


@pytest.mark.parametrize(
    ('name', 'axis', 'value', 'direction', 'sign'),
    [
        ('gamepad', 1, 1.0, 'x', 1),  # left stick away
        ('gamepad', 0, 1.0, 'y', 1),  # left stick to the left
        ('gamepad', 5, -1.0, 'z', 1),  # right trigger pulled
        ('gamepad', 4, -1.0, 'z', -1),  # left trigger pulled
        ('gamepad', 3, 1.0, 'pitch', -1),
        ('gamepad', 2, 1.0, 'yaw', 1),
        ('joy', 1, -1.0, 'x', -1),
        ('joy', 5, -1.0, 'z', 1),
        *(('spacemouse', axis, 1.0, name, 1) for axis, name in enumerate(DIRECTIONS)),
        *(('spacenav', axis, -1.0, name, -1) for axis, name in enumerate(DIRECTIONS)),
    ],
)
def test_each_axis_moves_one_direction(name, axis, value, direction, sign):
    twist = Hand(name).move({axis: value}).twist
    speeds = dict(zip(DIRECTIONS, [*twist.linear_m_s, *twist.angular_rad_s], strict=True))

    assert speeds.pop(direction) == pytest.approx(sign * FASTEST[direction])
    assert not any(speeds.values())


@pytest.mark.parametrize(
    ('name', 'buttons', 'is_held', 'opening'),
    [
        ('gamepad', (9,), True, None),
        ('gamepad', (1,), False, 1.0),
        ('gamepad', (0, 9), True, 0.0),
        ('gamepad', (0, 1), False, None),
        ('joy', (9, 1), True, 1.0),
        ('spacemouse', (0,), True, None),
        ('spacemouse', (0, 1), True, 0.0),  # the toggle: open as far as one knows, so it closes
        ('spacenav', (0, 1), False, None),
    ],
)
def test_buttons(name, buttons, is_held, opening):
    gesture = Hand(name).move(buttons=buttons)

    assert (gesture.is_held, gesture.gripper_opening) == (is_held, opening)


def test_a_toggle_goes_to_and_fro_while_the_switch_is_held():
    hand = Hand('spacemouse')
    openings = [
        hand.move(buttons=buttons).gripper_opening
        for buttons in [(0,), (0, 1), (0, 1), (0,), (0, 1), (0,), ()]
    ]

    assert openings == [None, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert hand.move(buttons=(0,)).gripper_opening is None, 'a new press begins anew'


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, 1.2, 32767.0, -1e9])
@pytest.mark.parametrize('axis', [0, 3])
def test_nonsense_on_any_axis_lets_go(value, axis):
    hand = Hand('joy')
    assert hand.move({1: 0.8}, (9,)).is_held
    gesture = hand.move({1: 0.8, axis: value}, (9,))

    assert not gesture.is_held
    assert not gesture.twist.linear_m_s.any()
    assert 'not -1 to 1' in gesture.fault
    assert not hand.move({1: 0.8}, (9,)).is_held, 'the sticks must rest once after a fault'
    assert hand.move({}, (9,)).is_held


def test_an_unplugged_device_lets_go():
    hand = Hand('gamepad')
    assert hand.move(buttons=(9,)).is_held
    hand.source.poll = lambda now_s: 'the gamepad is unplugged; plug it in'
    gesture = hand.device.read(None, 1.0)

    assert not gesture.is_held
    assert 'unplugged' in gesture.fault


def test_another_layout_is_refused_by_numbers():
    hand = Hand('joy')
    hand.source.reading = AxesReading((0.0,) * 4, (0,) * 8)
    gesture = hand.device.read(None, 1.0)

    assert not gesture.is_held
    assert '4 axes and 8 buttons, its file needs 6 and 10' in gesture.fault


def test_a_trigger_that_rests_at_its_end_never_moves():
    """joy_node numbers triggers in another way than game_controller_node: they rest at 1."""
    hand = Hand('joy')
    hand.device = AxesDevice(hand.settings, hand.source)

    for _ in range(5):
        assert not hand.move({4: 1.0, 5: 1.0}, (9,)).is_held
    assert 'does not rest' in hand.move({4: 1.0, 5: 1.0}).fault


@settings(deadline=None, max_examples=60)
@given(value=st.floats(-1.05, 1.05), zone=st.floats(0.0, 0.5), curve=st.floats(1.0, 4.0))
def test_a_shaped_axis_is_odd_bounded_and_still_in_its_zone(value, zone, curve):
    shaped = shape_axis(value, zone, curve)

    assert abs(shaped) <= 1.0
    assert shaped == -shape_axis(-value, zone, curve)
    assert (shaped == 0.0) or abs(value) > zone
    assert shaped * value >= 0.0


def test_beyond_the_dead_zone_an_axis_begins_at_zero_and_ends_at_one():
    assert shape_axis(0.12, 0.12, 2.0) == 0.0
    assert 0.0 < shape_axis(0.13, 0.12, 2.0) < 0.001
    assert shape_axis(0.56, 0.12, 2.0) == pytest.approx(0.25)
    assert shape_axis(-1.0, 0.12, 2.0) == -1.0


def test_the_filter_reaches_63_percent_after_its_time_whatever_the_rate():
    one = LowPass(0.05).after(np.zeros(1), np.ones(1), 0.05)
    many = np.zeros(1)
    for _ in range(10):
        many = LowPass(0.05).after(many, np.ones(1), 0.005)

    assert one[0] == pytest.approx(1 - math.exp(-1))
    assert many[0] == pytest.approx(one[0])
    assert LowPass(0.0).after(np.zeros(1), np.ones(1), 0.001)[0] == 1.0
