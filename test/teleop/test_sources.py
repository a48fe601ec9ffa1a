"""Drivers of hardware that is not here: their libraries with a device of paper."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from magma_ros.data_types import Twist
from magma_ros.teleop import gamepad_source, spacemouse_source
from magma_ros.teleop.axes_device import AxesReading
from magma_ros.teleop.gamepad_source import GamepadSource
from magma_ros.teleop.settings import load_device_file
from magma_ros.teleop.spacemouse_source import SpaceMouseSource
from magma_ros.teleop.twist_device import HeardTwist, TwistDevice


class Pad:
    is_attached = True

    def attached(self) -> bool:
        return self.is_attached

    def get_axis(self, axis: int) -> int:
        return (-32768, 32767, 0, 0, 0, 32767)[axis]

    def get_button(self, button: int) -> bool:
        return button == 9

    def quit(self) -> None:
        pass


def test_a_gamepad_has_the_signs_of_ros_and_may_come_and_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pads: list[Pad] = []
    controller = SimpleNamespace(
        get_count=lambda: len(pads),
        is_controller=lambda index: True,
        Controller=lambda index: pads[index],
        quit=lambda: None,
    )
    pygame = SimpleNamespace(event=SimpleNamespace(pump=lambda: None))
    monkeypatch.setattr(gamepad_source, '_load_sdl', lambda: (pygame, controller))
    source = GamepadSource()
    assert 'unplugged' in source.poll(0.0)

    pads.append(Pad())
    reading = source.poll(0.1)
    assert isinstance(reading, AxesReading)
    assert reading.axes == pytest.approx((1.0, -1.0, 0.0, 0.0, 0.0, -1.0))
    assert reading.buttons.index(1) == 9
    pads.pop().is_attached = False
    assert 'unplugged' in source.poll(0.2)


def test_the_real_library_works_without_display_and_pad() -> None:
    pytest.importorskip('pygame')
    source = GamepadSource()

    assert source.poll(0.0) == gamepad_source.UNPLUGGED
    source.close()


class Mouse:
    """Gives its reports one at a time, as the hardware does."""

    def __init__(self, reports: list[dict[str, float]]) -> None:
        self.reports, self.is_gone = reports, False
        self.values = dict.fromkeys(spacemouse_source.AXES, 0.0)
        self.t = 0

    def read(self) -> Any:
        if self.is_gone:
            raise OSError('read error')
        if self.reports:
            self.values.update(self.reports.pop(0))
            self.t += 1
        state = SimpleNamespace(t=self.t, buttons=[1, 0])
        values = dict(self.values)
        return type('State', (), {'__getitem__': lambda _, a: values[a], **vars(state)})()

    def close(self) -> None:
        pass


def test_a_spacemouse_is_read_to_its_newest_report_and_may_be_unplugged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip('pyspacemouse')
    source = SpaceMouseSource()
    mouse = Mouse([{'x': 0.1}, {'yaw': -0.5}, {'x': 0.7}])
    monkeypatch.setattr(source._library, 'open', lambda **_: mouse)
    reading = source.poll(0.0)
    assert isinstance(reading, AxesReading)
    assert reading.axes == (0.7, 0.0, 0.0, 0.0, 0.0, -0.5)
    assert reading.buttons == (1, 0)

    mouse.is_gone = True
    assert source.poll(0.02) == spacemouse_source.UNPLUGGED
    assert source.poll(0.5) == spacemouse_source.UNPLUGGED, 'not tried 50 times a second'
    mouse.is_gone = False
    assert isinstance(source.poll(1.1), AxesReading)


# --------------------------------------------------------------------------- velocities by topic

SLOW = Twist(np.array([0.05, 0.0, 0.0]), np.zeros(3))
SETTINGS: Any = load_device_file('twist').settings


def device(*heard: HeardTwist) -> TwistDevice:
    waiting = list(heard)
    newest = lambda: waiting.pop(0) if len(waiting) > 1 else waiting[0]  # noqa: E731
    return TwistDevice(SETTINGS, 'wx250s/base_link', newest)


@pytest.mark.parametrize(
    ('frame_id', 'frame'), [('wx250s/base_link', 'base'), ('tool', 'tool'), ('camera', 'camera')]
)
def test_a_twist_is_a_held_switch_in_its_own_frame(frame_id: str, frame: str) -> None:
    gesture = device(HeardTwist(SLOW, frame_id, 1.0)).read(None, 1.1)

    assert (gesture.is_held, gesture.frame) == (True, frame)
    assert gesture.twist is SLOW


def test_silence_is_a_release_without_a_fault() -> None:
    gesture = device(HeardTwist(SLOW, 'base', 1.0)).read(None, 1.3)

    assert (gesture.is_held, gesture.fault) == (False, '')


@pytest.mark.parametrize(
    ('heard', 'words'),
    [
        (HeardTwist(SLOW, 'world', 1.0), "frame 'world'"),
        (HeardTwist(Twist(np.array([np.nan, 0, 0]), np.zeros(3)), 'base', 1.0), 'not finite'),
        (HeardTwist(Twist(np.zeros(3), np.array([0, 0, np.inf])), 'base', 1.0), 'not finite'),
        (HeardTwist(Twist(np.array([5.0, 0, 0]), np.zeros(3)), 'base', 1.0), '5 m/s'),
        (HeardTwist(SLOW, 'base', 1.0, 3.0, 1.0), 'must be 0 to 1'),
        (HeardTwist(SLOW, 'base', 1.0, float('nan'), 1.0), 'not finite'),
    ],
)
def test_nonsense_is_refused(heard: HeardTwist, words: str) -> None:
    gesture = device(heard).read(None, 1.0)

    assert not gesture.is_held
    assert words in gesture.fault


def test_what_was_said_to_the_gripper_before_this_press_is_over() -> None:
    steers = device(
        HeardTwist(SLOW, 'base', 2.0, 1.0, 0.5), HeardTwist(SLOW, 'base', 2.1, 0.0, 2.1)
    )

    assert steers.read(None, 2.0).gripper_opening is None
    assert steers.read(None, 2.1).gripper_opening == 0.0
