"""Gamepads and 6-axis mice: numbered axes and buttons -> gestures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from magma_ros.data_types import ArmState, FloatArray, Twist
from magma_ros.teleop.axis_shaping import LowPass, is_axis_value, shape_axis
from magma_ros.teleop.gesture import TeleopGesture
from magma_ros.teleop.held_switch import HeldSwitch
from magma_ros.teleop.settings import DIRECTIONS, NO_BUTTON, AxesSettings


@dataclass(frozen=True)
class AxesReading:
    """What a driver says; a ``sensor_msgs/Joy`` without ROS."""

    axes: tuple[float, ...]  # -1..1; ROS's signs: to the left and away from the person is positive
    buttons: tuple[int, ...]


class AxesSource(Protocol):
    """A driver."""

    def poll(self, now_s: float) -> AxesReading | str:
        """The state of now without waiting; or why there is none, and what to do."""

    def close(self) -> None:
        """Give the device back."""


class AxesDevice:
    """Maps what a source says.

    Args:
        settings: axes, buttons, speeds.
        source: the driver.
        switch: the deadman switch where it is no button of this device; its gripper keys count.
    """

    def __init__(
        self, settings: AxesSettings, source: AxesSource, switch: HeldSwitch | None = None
    ) -> None:
        self._settings, self._source, self._switch = settings, source, switch
        self._filter = LowPass(settings.smoothing_s)
        self._shares: FloatArray = np.zeros(len(DIRECTIONS))
        self._read_s: float | None = None
        self._toggled: float | None = None  # the opening of the toggle since the press
        self._was_toggle_pressed = False
        self._has_rested = False  # with every axis in its dead zone, since it was plugged in

    def read(self, arm: ArmState | None, now_s: float) -> TeleopGesture:
        """See :class:`magma_ros.teleop.gesture.TeleopDevice`."""
        switch = None if self._switch is None else self._switch.read(now_s)
        reading = self._source.poll(now_s)
        fault = reading if isinstance(reading, str) else self._find_fault(reading)
        if isinstance(reading, str) or fault:
            self._has_rested, self._shares = False, np.zeros(len(DIRECTIONS))
            return TeleopGesture.lost(fault)
        self._has_rested = self._has_rested or self._rests(reading)
        if not self._has_rested:
            return TeleopGesture.lost('let go of every axis first; one of them does not rest')
        wish = self._wish(reading)
        elapsed_s = 0.0 if self._read_s is None else now_s - self._read_s
        self._read_s = now_s
        self._shares = self._filter.after(self._shares, wish, elapsed_s)
        settings, opening = self._settings, self._opening(reading, arm)
        is_held, fault = _is_pressed(reading, settings.deadman_button), ''
        if switch is not None:
            is_held, fault = switch.is_held, switch.fault
            opening = switch.gripper_opening if opening is None else opening
        self._toggled = self._toggled if is_held else None
        return TeleopGesture(
            is_held,
            Twist(self._shares[:3] * settings.speed_m_s, self._shares[3:] * settings.turn_rad_s),
            settings.frame,
            opening,
            fault=fault,
        )

    def close(self) -> None:
        """Give the device back."""
        self._source.close()
        if self._switch is not None:
            self._switch.close()

    def _find_fault(self, reading: AxesReading) -> str:
        settings = self._settings
        mapped = self._mapped_axes()
        buttons = (
            *(settings.deadman_button, settings.open_button),
            *(settings.close_button, settings.toggle_button),
        )
        if max(mapped, default=0) >= len(reading.axes) or max(buttons) >= len(reading.buttons):
            return (
                f'it has {len(reading.axes)} axes and {len(reading.buttons)} buttons, its file '
                f'needs {1 + max(mapped, default=0)} and {1 + max(buttons)}: choose another file'
            )
        wrong = [value for value in reading.axes if not is_axis_value(value)]
        return f'axes say {wrong}, not -1 to 1; look at the driver' if wrong else ''

    def _mapped_axes(self) -> list[int]:
        return [axis for pairs in self._settings.axes.values() for axis, _ in pairs]

    def _rests(self, reading: AxesReading) -> bool:
        values = [reading.axes[axis] for axis in self._mapped_axes()]
        return all(abs(value) <= self._settings.dead_zone for value in values)

    def _wish(self, reading: AxesReading) -> FloatArray:
        settings = self._settings
        shares = [
            sum(
                gain * shape_axis(reading.axes[axis], settings.dead_zone, settings.curve)
                for axis, gain in settings.axes.get(direction, ())
            )
            for direction in DIRECTIONS
        ]
        return np.clip(shares, -1.0, 1.0)

    def _opening(self, reading: AxesReading, arm: ArmState | None) -> float | None:
        opens = _is_pressed(reading, self._settings.open_button)
        closes = _is_pressed(reading, self._settings.close_button)
        if opens != closes:
            return float(opens)
        was_pressed = self._was_toggle_pressed
        self._was_toggle_pressed = _is_pressed(reading, self._settings.toggle_button)
        if self._was_toggle_pressed and not was_pressed:
            measured = 1.0 if arm is None else arm.gripper_opening
            before = measured if self._toggled is None else self._toggled
            self._toggled = float(before < 0.5)
        return self._toggled


def _is_pressed(reading: AxesReading, button: int) -> bool:
    return button != NO_BUTTON and bool(reading.buttons[button])
