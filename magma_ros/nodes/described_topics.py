"""What a bag says about a topic that ROS knows."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile

from magma_ros.dataset.recorded_topic import RecordedTopic
from magma_ros.ros.message_definitions import definition_of, hash_of, type_name
from magma_ros.ros.quality_text import quality_text


def describe_topic(name: str, kind: type, offered: QoSProfile) -> RecordedTopic:
    """A topic with the definition and the hash of its messages.

    Raises:
        EnvironmentMissing: ROS lacks the definition.
    """
    return RecordedTopic(
        name,
        type_name(kind),
        definition_of(kind),
        hash_of(kind),
        quality_text(offered),
        is_latched=offered.durability is DurabilityPolicy.TRANSIENT_LOCAL,
    )
