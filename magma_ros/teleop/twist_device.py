"""Velocities from a topic: a phone, a web page, a program -> gestures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import ArmState, Twist
from magma_ros.motion.norms import length
from magma_ros.teleop.gesture import FRAMES, Frame, TeleopGesture
from magma_ros.teleop.settings import TwistSettings


@dataclass(frozen=True)
class HeardTwist:
    """The newest message and when it came (monotonic clock); the opening that came beside it."""

    twist: Twist
    frame_id: str  # base, tool, camera, or the arm's base link
    heard_s: float
    gripper_opening: float | None = None  # None: as it is
    gripper_heard_s: float = 0.0  # when that was said


class TwistDevice:
    """A message is a held switch: whoever sends them does so only while a person holds one.

    Args:
        settings: the largest speeds, and the silence that is a release.
        base_link: of the arm.
        newest: what came last, None before the first.
    """

    def __init__(
        self, settings: TwistSettings, base_link: str, newest: Callable[[], HeardTwist | None]
    ) -> None:
        self._settings, self._newest = settings, newest
        self._frames: dict[str, Frame] = {**{frame: frame for frame in FRAMES}, base_link: 'base'}
        self._held_since_s: float | None = None

    def read(self, arm: ArmState | None, now_s: float) -> TeleopGesture:
        """See :class:`magma_ros.teleop.gesture.TeleopDevice`."""
        heard = self._newest()
        if heard is None or now_s - heard.heard_s > self._settings.silent_s:
            self._held_since_s = None
            return TeleopGesture()
        fault = self._find_fault(heard)
        if fault:
            return TeleopGesture.lost(fault)
        if self._held_since_s is None:
            self._held_since_s = heard.heard_s
        # What was said before this press is over; the policy may hold something by now.
        is_said = heard.gripper_heard_s >= self._held_since_s
        opening = heard.gripper_opening if is_said else None
        return TeleopGesture(True, heard.twist, self._frames[heard.frame_id], opening)

    def close(self) -> None:
        """Nothing is open."""

    def _find_fault(self, heard: HeardTwist) -> str:
        if heard.frame_id not in self._frames:
            return f'frame {heard.frame_id!r} of the twist; frames are {", ".join(self._frames)}'
        twist, settings = heard.twist, self._settings
        numbers = [*twist.linear_m_s, *twist.angular_rad_s, heard.gripper_opening or 0.0]
        if not np.isfinite(numbers).all():
            return 'the twist has numbers that are not finite; look at its sender'
        speeds = (length(twist.linear_m_s), length(twist.angular_rad_s))
        if speeds[0] > settings.speed_m_s or speeds[1] > settings.turn_rad_s:
            return (
                f'the twist wants {speeds[0]:.3g} m/s and {speeds[1]:.3g} rad/s; at most '
                f'{settings.speed_m_s:g} and {settings.turn_rad_s:g} are taken'
            )
        if not 0.0 <= (heard.gripper_opening or 0.0) <= 1.0:
            return f'the gripper is to open to {heard.gripper_opening}; it must be 0 to 1'
        return ''
