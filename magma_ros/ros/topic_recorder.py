"""Subscribes to topics and writes what arrives into a bag, as it came: nothing is decoded."""

from __future__ import annotations

from functools import partial

from rclpy.node import Node
from rclpy.qos import QoSProfile

from magma_ros.ros.bag_writer import BagWriter
from magma_ros.ros.topics import TOPICS, Topic, camera_topics

# A second of raw pictures is 14 MB and costs the cores the demo needs; the overlay is in the bag.
RAW_PICTURES = tuple(camera_topics()[name].name for name in ('colour', 'depth'))
RECORDED = tuple(topic for topic in TOPICS if topic.name not in RAW_PICTURES)
QUEUE = 200  # messages: 2 s of joint states


class TopicRecorder:
    """Writes from the thread that spins ``node``, until :meth:`stop`.

    Latched topics (/tf_static, the instruction) are in the bag although they were sent before.
    """

    def __init__(
        self, node: Node, writer: BagWriter, topics: tuple[Topic, ...] = RECORDED
    ) -> None:
        self._node, self._writer = node, writer
        self._subscriptions = [
            node.create_subscription(
                topic.kind, topic.name, partial(self._write, topic), _patient(topic), raw=True
            )
            for topic in topics
        ]

    def stop(self) -> None:
        """No more messages; the writer stays open."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _write(self, topic: Topic, serialised: bytes) -> None:
        self._writer.write(topic, serialised, self._node.get_clock().now().nanoseconds)


def _patient(topic: Topic) -> QoSProfile:
    """The topic's own QoS with a longer queue: a recorder wants every message, not the newest."""
    return QoSProfile(
        depth=max(QUEUE, topic.wanted.depth),
        reliability=topic.wanted.reliability,
        durability=topic.wanted.durability,
    )
