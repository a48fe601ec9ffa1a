"""What came shortly before a recording was started, within a bound of bytes and seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from magma_ros.dataset.recorded_topic import Arrival

MOST_LATCHED = 100  # messages of one latched topic: /tf_static has a publisher for each camera
LARGEST_LATCHED = 16 * 1024**2  # bytes of all latched messages of a topic


class PreTrigger:
    """A ring buffer, and the messages every episode begins with: those of latched topics.

    Args:
        seconds: how far it reaches back; 0: it holds latched messages only.
        capacity: bytes of data it holds at most; the oldest go first.
    """

    def __init__(self, seconds: float, capacity: int) -> None:
        self._span_ns, self._capacity = round(seconds * 1e9), capacity
        self._ring: deque[Arrival] = deque()
        self._latched: dict[str, deque[Arrival]] = {}
        self.size = 0  # bytes in the ring

    def add(self, arrival: Arrival) -> None:
        """Remember a message, and forget what is too old or too much."""
        self._ring.append(arrival)
        self.size += len(arrival.data)
        oldest_ns = arrival.received_ns - self._span_ns
        while self._ring and (
            self.size > self._capacity or self._ring[0].received_ns <= oldest_ns
        ):
            self.size -= len(self._ring.popleft().data)

    def add_latched(self, arrival: Arrival) -> None:
        """Remember a message of a latched topic, whether a recording runs or not."""
        kept = self._latched.setdefault(arrival.topic, deque(maxlen=MOST_LATCHED))
        if any(one.data == arrival.data for one in kept):
            return
        kept.append(arrival)
        while sum(len(one.data) for one in kept) > LARGEST_LATCHED:
            kept.popleft()

    def take(self, now_ns: int) -> list[Arrival]:
        """What an episode begins with, in the order of time; the ring is empty afterwards.

        Latched messages from before the ring are stamped with the time at which it begins: they
        were in force then.
        """
        ring = list(self._ring)
        start_ns = min([now_ns, *(one.received_ns for one in ring[:1])])
        in_ring = {(one.topic, one.data) for one in ring if one.topic in self._latched}
        before = [
            replace(one, received_ns=start_ns)
            for kept in self._latched.values()
            for one in kept
            if (one.topic, one.data) not in in_ring
        ]
        self._ring.clear()
        self.size = 0
        return before + ring
