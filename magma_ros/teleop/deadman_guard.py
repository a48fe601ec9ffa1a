"""Which presses of a deadman switch count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeadmanGuard:
    """A switch that is stuck, taped down or was pressed before we looked is no person.

    It counts from the first release that was seen on, and for ``longest_hold_s`` at a time; then
    it must be let go and pressed again. Times on the monotonic clock.
    """

    longest_hold_s: float
    has_been_released: bool = False
    pressed_s: float | None = None  # since when; None: released, or not believed

    def hear(self, is_pressed: bool, now_s: float, is_lost: bool = False) -> DeadmanGuard:
        """One reading of the switch; lost is no release, which must be seen."""
        if is_lost:
            return DeadmanGuard(self.longest_hold_s)
        if not is_pressed:
            return DeadmanGuard(self.longest_hold_s, True)
        if not self.has_been_released:
            return self
        since_s = now_s if self.pressed_s is None else self.pressed_s
        if now_s - since_s > self.longest_hold_s:
            return DeadmanGuard(self.longest_hold_s)
        return DeadmanGuard(self.longest_hold_s, True, since_s)

    @property
    def is_held(self) -> bool:
        """Whether a person holds it."""
        return self.pressed_s is not None

    @property
    def complaint(self) -> str:
        """Why a pressed switch does not count; meaningless while it is released."""
        if self.has_been_released:
            return ''
        return (
            f'the deadman switch was pressed from the start or for over {self.longest_hold_s:g} '
            's: let go of it and press again'
        )
