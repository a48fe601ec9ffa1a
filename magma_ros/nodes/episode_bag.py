"""A bag of what the nodes say during one episode, without the recorder node."""

from __future__ import annotations

import time
from pathlib import Path

from rclpy.node import Node
from rclpy.qos import QoSProfile

from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.nodes.described_topics import describe_topic
from magma_ros.ros.raw_taps import RawTaps
from magma_ros.ros.topics import TOPICS, camera_topics

# A second of raw pictures is 14 MB and costs the cores the demo needs; the overlay is in the bag.
RAW_PICTURES = tuple(camera_topics()[name].name for name in ('colour', 'depth'))
RECORDED = {topic.name: topic for topic in TOPICS if topic.name not in RAW_PICTURES}
LOOK_PERIOD_S = 0.2  # for new publishers


class EpisodeBag:
    """Records from :meth:`record` calls until :meth:`close`.

    Args:
        node: in whose context and with whose remappings.
        folder: of the bag; must not exist.

    Raises:
        RecordingError: the folder exists.
    """

    def __init__(self, node: Node, folder: Path) -> None:
        self._folder = folder
        self._writer = EpisodeWriter(folder)
        self._taps = RawTaps(node, RECORDED, RECORDED, self._add)
        self._looked_s = 0.0

    @property
    def message_count(self) -> int:
        """Messages written so far."""
        return self._writer.summary.message_count

    def record(self) -> None:
        """Write what has arrived; call it many times a second."""
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_PERIOD_S:
            self._looked_s = now_s
            self._taps.look()
        for one in self._taps.poll(time.time_ns()):
            self._writer.write(Arrival(one.topic, one.data, one.received_ns, one.published_ns))

    def close(self) -> None:
        """End the bag and give it its index."""
        self._taps.close()
        self._writer.close()
        rewrite_bag(self._folder)

    def _add(self, name: str, kind: type, offered: QoSProfile) -> None:
        self._writer.add_topic(describe_topic(name, kind, offered))
