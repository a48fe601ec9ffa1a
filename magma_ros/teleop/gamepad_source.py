"""A gamepad through SDL (pygame-ce), which knows the layouts of all common pads.

Buttons and axes have the numbers that ROS's ``game_controller_node`` gives them, so one map serves
both. SDL needs neither a window nor a display here.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Any

from magma_ros.errors import EnvironmentMissing
from magma_ros.teleop.axes_device import AxesReading

AXES = 6  # left x, y, right x, y, left trigger, right trigger
BUTTONS = 15  # a b x y back guide start, sticks, shoulders, up down left right
FULL = 32767
UNPLUGGED = 'the gamepad is unplugged; plug it in'


class GamepadSource:
    """The first gamepad there is; one that is plugged in later is found, too.

    Raises:
        EnvironmentMissing: pygame-ce is not installed.
    """

    def __init__(self) -> None:
        self._pygame, self._controller = _load_sdl()
        self._pad: Any = None

    def poll(self, now_s: float) -> AxesReading | str:
        """See :class:`magma_ros.teleop.axes_device.AxesSource`."""
        self._pygame.event.pump()
        if self._pad is not None and not self._pad.attached():
            self._pad.quit()
            self._pad = None
        if self._pad is None:
            self._pad = self._find()
        if self._pad is None:
            return UNPLUGGED
        axes = (self._pad.get_axis(axis) for axis in range(AXES))
        return AxesReading(
            tuple(-max(value, -FULL) / FULL for value in axes),  # ROS: left and up are positive
            tuple(int(self._pad.get_button(button)) for button in range(BUTTONS)),
        )

    def close(self) -> None:
        """Give the gamepad back."""
        self._controller.quit()

    def _find(self) -> Any:
        for index in range(self._controller.get_count()):
            if self._controller.is_controller(index):
                return self._controller.Controller(index)
        return None


def _load_sdl() -> tuple[ModuleType, ModuleType]:
    os.environ.setdefault('SDL_VIDEODRIVER', 'dummy')
    os.environ.setdefault('SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS', '1')  # we have no window
    os.environ.setdefault('PYGAME_HIDE_SUPPORT_PROMPT', '1')
    try:
        pygame = importlib.import_module('pygame')
        controller = importlib.import_module('pygame._sdl2.controller')
    except ImportError as error:
        raise EnvironmentMissing(
            'a gamepad is read through pygame-ce: pip install "magma_ros[teleop]", or run '
            'game_controller_node of the ROS package joy and choose the device joy'
        ) from error
    pygame.display.init()  # the event pump belongs to it
    controller.init()
    return pygame, controller
