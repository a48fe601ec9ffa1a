"""Whether a key is held, where only its repeats are heard: a terminal tells no release.

The keyboard repeats a held key after a first pause (X11: 0.66 s, Linux console: 0.25 s) and then
25 to 30 times a second. So one character is a tap until the first repeat must have come, and
after that silence for a few repeats is the release.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RepeatTimes:
    """Of the keyboard, in s."""

    first_repeat_s: float  # the pause before the first repeat is shorter
    repeat_gap_s: float  # the pause between two repeats is shorter
    tap_s: float  # how long a single tap moves


@dataclass(frozen=True)
class HeldKey:
    """The key heard last; only one key at a time repeats. Times on the monotonic clock."""

    key: str = ''
    pressed_s: float = 0.0
    heard_s: float = 0.0
    is_repeating: bool = False

    def hear(self, key: str, now_s: float, times: RepeatTimes) -> HeldKey:
        """One character."""
        if key == self.key and self.is_held(now_s, times):
            return HeldKey(key, self.pressed_s, now_s, is_repeating=True)
        return HeldKey(key, now_s, now_s)

    def is_held(self, now_s: float, times: RepeatTimes) -> bool:
        """Whether the key is down as far as one can know."""
        longest_s = times.repeat_gap_s if self.is_repeating else times.first_repeat_s
        return bool(self.key) and now_s - self.heard_s <= longest_s

    def is_moving(self, now_s: float, times: RepeatTimes) -> bool:
        """Whether it moves the arm: while it repeats, and shortly after the first character.

        In between nothing moves, since a tap must not go on for the whole first pause.
        """
        is_tap = now_s - self.pressed_s <= times.tap_s
        return self.is_held(now_s, times) and (self.is_repeating or is_tap)
