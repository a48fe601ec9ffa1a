"""What a bag says about a topic, and one message as it arrived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordedTopic:
    """A topic as rosbag2 describes it.

    Attributes:
        name: with its namespace.
        type_name: such as ``sensor_msgs/msg/Image``.
        definition: ``.msg`` text, followed by those it contains (MCAP's ``ros2msg``).
        type_hash: RIHS01, REP-2016; empty where ROS has none.
        qos_yaml: list of the offered profiles, YAML (metadata version 8).
        is_latched: late subscribers get the last message; so does every episode.
    """

    name: str
    type_name: str
    definition: str
    type_hash: str
    qos_yaml: str
    is_latched: bool = False


@dataclass(frozen=True)
class Arrival:
    """A serialised message (CDR) and when it came, nanoseconds of the system clock."""

    topic: str
    data: bytes
    received_ns: int
    published_ns: int
