"""A one-slot mailbox: the newest value wins, and its age is known."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Value = TypeVar('Value')


class LatestValue(Generic[Value]):
    """Holds the newest value put into it. One thread puts, another takes, at any pace."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: Value | None = None
        self._put_s = 0.0
        self._fresh = False
        self.overwritten = 0  # values nobody took

    def put(self, value: Value, now_s: float) -> None:
        """Replace the value; ``now_s`` on the monotonic clock."""
        with self._condition:
            self.overwritten += self._fresh
            self._value, self._put_s, self._fresh = value, now_s, True
            self._condition.notify()

    def take(self, timeout_s: float) -> Value | None:
        """Wait for a value that was not taken yet; None when none came in time."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._fresh, timeout_s):
                return None
            self._fresh = False
            return self._value

    def peek(self) -> Value | None:
        """The newest value, taken or not."""
        with self._condition:
            return self._value

    def age_s(self, now_s: float) -> float:
        """How long ago the newest value came; infinite when none did."""
        with self._condition:
            return float('inf') if self._value is None else now_s - self._put_s
