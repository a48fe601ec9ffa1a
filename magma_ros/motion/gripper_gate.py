"""Keeps a chattering model from wearing out the gripper.

An opening counts as open from 0.7 on and as closed up to 0.3; in between nothing changes. Two
steps in a row must agree, and two changes are half a second apart at least.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

OPEN_FROM, CLOSED_TO = 0.7, 0.3
AGREEING_STEPS = 2
CHANGE_S = 0.5


@dataclass(frozen=True)
class GripperGate:
    """What was let through, and what is waiting to be."""

    opening: float  # 0 closed .. 1 open; at first whatever the gripper measured
    wish: float | None = None  # of the newest step, None while it is neither open nor closed
    agreed: int = 0  # steps in a row with this wish
    step: tuple[int, int] | None = None  # stamp and index of the newest step
    unchanged_s: float = CHANGE_S
    is_decided: bool = False  # steps agreed on the opening since the arm may move

    def pass_on(self, step: tuple[int, int], opening: float, period_s: float) -> GripperGate:
        """One tick in which ``step`` (stamp of its picture, index in its chunk) is due."""
        gate = replace(self, unchanged_s=self.unchanged_s + period_s)
        if step != gate.step:
            wish = 1.0 if opening >= OPEN_FROM else 0.0 if opening <= CLOSED_TO else None
            agreed = gate.agreed + 1 if wish == gate.wish else 1
            gate = replace(gate, step=step, wish=wish, agreed=agreed)
        is_due = gate.agreed >= AGREEING_STEPS and gate.unchanged_s >= CHANGE_S
        if gate.wish is None or not is_due:
            return gate
        is_change = gate.wish != gate.opening
        unchanged_s = 0.0 if is_change else gate.unchanged_s
        return replace(gate, opening=gate.wish, unchanged_s=unchanged_s, is_decided=True)

    def stay(self, opening: float, period_s: float) -> GripperGate:
        """One tick of braking or holding: what was sent stays, what was agreed on is void."""
        return GripperGate(opening, unchanged_s=self.unchanged_s + period_s)
