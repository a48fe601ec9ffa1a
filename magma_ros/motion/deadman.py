"""The switch a person holds while steering by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class DeadmanSwitch:
    """Since when it is pressed, and when it was last heard. Times on the monotonic clock (s)."""

    heard_s: float | None = None
    pressed_s: float | None = None

    def hear(self, is_pressed: bool, now_s: float) -> DeadmanSwitch:
        """One message.

        A switch that was never heard released is taken as pressed since for ever, and silence is
        no release: only letting go and pressing again is a new press.
        """
        if not is_pressed:
            return DeadmanSwitch(now_s, None)
        since_s = self.pressed_s
        if since_s is None:
            since_s = -math.inf if self.heard_s is None else now_s
        return DeadmanSwitch(now_s, since_s)

    def age_s(self, now_s: float) -> float | None:
        """Since it was heard; None when it never was."""
        return None if self.heard_s is None else now_s - self.heard_s

    def held_s(self, now_s: float) -> float | None:
        """For how long it has been pressed; None while it is released."""
        return None if self.pressed_s is None else now_s - self.pressed_s
