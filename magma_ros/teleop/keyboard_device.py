"""A terminal's keyboard -> gestures. Every key of the map is also the deadman switch."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from magma_ros.data_types import ArmState, Twist
from magma_ros.teleop.gesture import TeleopGesture
from magma_ros.teleop.key_repeat import HeldKey, RepeatTimes
from magma_ros.teleop.settings import DIRECTIONS, KeyboardSettings


class KeySource(Protocol):
    """Where characters come from."""

    def poll(self) -> str | None:
        """Characters since the last time, without waiting; None: the terminal is gone."""

    def close(self) -> None:
        """Give the terminal back as it was."""


class KeyboardDevice:
    """Maps keys; see :mod:`magma_ros.teleop.key_repeat` for what counts as held.

    Args:
        settings: keys, speeds, times of the keyboard.
        source: the terminal.
    """

    def __init__(self, settings: KeyboardSettings, source: KeySource) -> None:
        self._settings, self._source = settings, source
        self._times = RepeatTimes(settings.first_repeat_s, settings.repeat_gap_s, settings.tap_s)
        self._held = HeldKey()

    def read(self, arm: ArmState | None, now_s: float) -> TeleopGesture:
        """See :class:`magma_ros.teleop.gesture.TeleopDevice`."""
        typed = self._source.poll()
        if typed is None:
            self._held = HeldKey()
            return TeleopGesture.lost('the terminal is gone; start teleop_node in one')
        for key in typed:
            known = key in self._settings.keys  # another key is a hand that slipped: let go
            self._held = self._held.hear(key, now_s, self._times) if known else HeldKey()
        if not self._held.is_held(now_s, self._times):
            return TeleopGesture()
        meaning = self._settings.keys[self._held.key]
        moves = self._held.is_moving(now_s, self._times)
        opening = {'open': 1.0, 'close': 0.0}.get(meaning)
        return TeleopGesture(
            True, self._twist(meaning if moves else 'hold'), self._settings.frame, opening
        )

    def close(self) -> None:
        """Give the terminal back."""
        self._source.close()

    def _twist(self, meaning: str) -> Twist:
        shares = np.zeros(len(DIRECTIONS))
        if meaning[1:] in DIRECTIONS:
            shares[DIRECTIONS.index(meaning[1:])] = 1.0 if meaning[0] == '+' else -1.0
        return Twist(shares[:3] * self._settings.speed_m_s, shares[3:] * self._settings.turn_rad_s)
