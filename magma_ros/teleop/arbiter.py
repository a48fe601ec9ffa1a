"""One person at a time: which of several devices steers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Arbiter:
    """Who pressed first steers until the switch is let go.

    Whoever presses meanwhile has no say, and must let go and press again afterwards: the arm is
    never handed from one to the other in mid-motion. Two who press in the same moment both do not
    count.
    """

    owner: str | None = None
    barred: frozenset[str] = frozenset()  # held, and must be released first

    def hear(self, held: Mapping[str, bool]) -> Arbiter:
        """All switches of one moment, by device."""
        pressing = frozenset(name for name, is_held in held.items() if is_held)
        if self.owner in pressing:
            return Arbiter(self.owner, pressing - {self.owner})
        fresh = pressing - self.barred
        owner = next(iter(fresh)) if len(fresh) == 1 else None
        if owner is not None and self.owner is not None:
            owner = None  # in the moment of letting go nobody takes over
        return Arbiter(owner, pressing - {owner})

    @staticmethod
    def nobody(held: Mapping[str, bool]) -> Arbiter:
        """Nobody steers now, and whoever holds a switch must press it anew."""
        return Arbiter(None, frozenset(name for name, is_held in held.items() if is_held))
