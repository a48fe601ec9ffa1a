"""Notices that somebody else publishes what only we may publish.

Counting publishers does not serve: one that was killed stays listed for twenty seconds. Messages
are certain, and ours carry stamps that we know.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from magma_ros.ros.time_stamps import stamp_to_ns
from magma_ros.ros.topic_kinds import Topic

REMEMBERED = 1000  # own stamps: two seconds at 500 Hz


class ForeignMessages:
    """Listens to one of our own topics.

    Args:
        node: subscribes.
        topic: the topic.
        header: the header of a message.
    """

    def __init__(self, node: Node, topic: Topic, header: Callable[[Any], Any]) -> None:
        self._own: deque[int] = deque(maxlen=REMEMBERED)
        self._heard_s = -math.inf
        self._header = header
        topic.subscribe(node, self._on_message)

    def sent(self, stamp_ns: int) -> None:
        """Call before publishing."""
        self._own.append(stamp_ns)

    def age_s(self, now_s: float) -> float:
        """Since a message of somebody else (monotonic clock); infinite when there was none."""
        return now_s - self._heard_s

    def _on_message(self, message: Any) -> None:
        if stamp_to_ns(self._header(message).stamp) not in self._own:
            self._heard_s = time.monotonic()
