"""Notices jumps of the ROS clock by comparing it with the monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass

FORWARD_S = 0.5  # further than the monotonic clock went
BACKWARD_S = 0.05  # a clock that stands still has not jumped; deadlines are monotonic anyway


@dataclass
class ClockWatch:
    """Call :meth:`note` in each tick, and from no other thread: its order would be lost."""

    jumped_s: float | None = None  # when the last jump was seen, on the monotonic clock
    _before: tuple[float, int] | None = None

    def note(self, now_s: float, now_ns: int) -> bool:
        """Whether the ROS clock (``now_ns``) jumped since the call before."""
        before, self._before = self._before, (now_s, now_ns)
        if before is None:
            return False
        passed_s = (now_ns - before[1]) * 1e-9
        has_jumped = passed_s < -BACKWARD_S or passed_s - (now_s - before[0]) > FORWARD_S
        if has_jumped:
            self.jumped_s = now_s
        return has_jumped
