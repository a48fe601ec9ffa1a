"""Numbered messages for the tests of this folder."""

from __future__ import annotations

import struct

from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic

START_NS = 1_700_000_000_000_000_000
QOS = '- history: 1\n  depth: 10\n  reliability: 1\n  durability: {}\n'
QOS += '  deadline: {{sec: 1, nsec: 0}}\n  lifespan: {{sec: 1, nsec: 0}}\n  liveliness: 1\n'
QOS += '  liveliness_lease_duration: {{sec: 1, nsec: 0}}\n'
QOS += '  avoid_ros_namespace_conventions: false\n'
# ros2 topic info -v of Iron and later.
STRING_HASH = 'RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18'
STRING = RecordedTopic('/said', 'std_msgs/msg/String', 'string data\n', STRING_HASH, QOS.format(2))
LATCHED = RecordedTopic(
    '/latched', 'std_msgs/msg/String', 'string data\n', STRING_HASH, QOS.format(1), True
)


def cdr(text: str) -> bytes:
    """A std_msgs/String."""
    return b'\0\1\0\0' + struct.pack('<I', len(text) + 1) + text.encode() + b'\0'


def arrival(index: int, size: int = 0, topic: str = '/said', step_ns: int = 1_000_000) -> Arrival:
    """The message ``index``, of at least ``size`` letters."""
    at_ns = START_NS + index * step_ns
    return Arrival(topic, cdr(str(index).ljust(size)), at_ns, at_ns - 1000)


def number(data: bytes) -> int:
    """Which message this is."""
    return int(data[8:-1])
