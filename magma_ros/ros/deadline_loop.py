"""A thread that ticks at absolute deadlines, and knows how late it was.

Not a ROS timer: those share the executor with every callback and skip whole periods unnoticed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

REMEMBERED_TICKS = 1000


@dataclass(frozen=True)
class Lateness:
    """How late the ticks of the last while began, and how many never did."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    missed: int  # periods skipped since the start


class DeadlineLoop:
    """Calls ``tick`` every ``period_s`` in a thread of its own until stopped.

    An exception in ``tick`` ends the thread; :attr:`is_alive` then is false.
    """

    def __init__(self, name: str, period_s: float, tick: Callable[[], None]) -> None:
        self._period_ns = round(period_s * 1e9)
        self._tick = tick
        self._late_ns: deque[int] = deque(maxlen=REMEMBERED_TICKS)
        self._missed = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the tick that runs, then no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def lateness(self) -> Lateness:
        """Of the last REMEMBERED_TICKS ticks."""
        late_ms = np.array(list(self._late_ns) or [0]) * 1e-6
        p50, p99 = np.percentile(late_ms, (50, 99))
        return Lateness(float(p50), float(p99), float(late_ms.max()), self._missed)

    def _run(self) -> None:
        due_ns = time.monotonic_ns()
        while not self._stopped.is_set():
            due_ns += self._period_ns
            wait_ns = due_ns - time.monotonic_ns()
            if wait_ns > 0:
                time.sleep(wait_ns * 1e-9)
            late_ns = max(0, time.monotonic_ns() - due_ns)
            self._late_ns.append(late_ns)
            self._tick()
            skipped = max(0, time.monotonic_ns() - due_ns) // self._period_ns
            self._missed += skipped
            due_ns += skipped * self._period_ns
