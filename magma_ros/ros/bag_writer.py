"""Writes a rosbag2 bag: one MCAP file and its metadata.yaml, without rosbag2.

``ros2 bag play`` and ``info``, Foxglove and the ``rosbags`` package open the folder. Metadata is
version 8, the newest that Humble reads as well as Jazzy. Messages stay as they came: CDR.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rclpy.qos import QoSProfile
from ruamel.yaml import YAML

from magma_ros.errors import ConfigurationError
from magma_ros.ros.message_definitions import definition_of, hash_of, type_name
from magma_ros.ros.topic_kinds import Topic

METADATA_VERSION = 8
PIP_DISTRIBUTION = 'kilted'  # what the wheels are
FOREVER = {'sec': 9223372036, 'nsec': 854775807}  # RMW_DURATION_INFINITE


@dataclass
class _Channel:
    """A topic in the file."""

    topic: Topic
    number: int
    count: int = 0


class BagWriter:
    """A bag that is whole once :meth:`close` was called, also at the end of a ``with`` block.

    Args:
        directory: of the bag; must not exist.
        topics: everything that may be written.

    Raises:
        ConfigurationError: the directory exists.
        EnvironmentMissing: ROS lacks the definition of a message.
    """

    def __init__(self, directory: Path, topics: tuple[Topic, ...]) -> None:
        if directory.exists():
            raise ConfigurationError(f'{directory} exists already; give another folder')
        definitions = {type_name(topic.kind): definition_of(topic.kind) for topic in topics}
        directory.mkdir(parents=True)
        self._directory = directory
        self._name = f'{directory.name}_0.mcap'  # what `ros2 bag reindex` looks for
        self._file = (directory / self._name).open('wb')
        self._mcap = McapWriter(self._file, compression=CompressionType.NONE)
        self._mcap.start(profile='ros2', library='magma_ros')
        schemas = {
            name: self._mcap.register_schema(name, 'ros2msg', text.encode())
            for name, text in definitions.items()
        }
        self._channels = {
            topic.name: _Channel(topic, self._register(topic, schemas[type_name(topic.kind)]))
            for topic in topics
        }
        self._first_ns, self._last_ns = 0, 0
        self._is_open = True

    def __enter__(self) -> BagWriter:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes."""
        self.close()

    @property
    def message_count(self) -> int:
        """Messages written so far."""
        return sum(channel.count for channel in self._channels.values())

    def write(self, topic: Topic, serialised: bytes, received_ns: int) -> None:
        """Add one message. Readers need time to go on: a clock set back is held, not followed."""
        self._first_ns = self._first_ns or received_ns
        self._last_ns = max(self._last_ns, received_ns)
        channel = self._channels[topic.name]
        channel.count += 1
        time_ns = self._last_ns
        self._mcap.add_message(channel.number, time_ns, serialised, time_ns, channel.count)

    def close(self) -> None:
        """Write what the readers need: the index and metadata.yaml. Again: nothing."""
        if not self._is_open:
            return
        self._is_open = False
        text = io.StringIO()
        YAML(typ='safe').dump(self._metadata(), text)
        self._mcap.add_metadata('rosbag2', {'serialized_metadata': text.getvalue()})
        self._mcap.finish()
        self._file.close()
        (self._directory / 'metadata.yaml').write_text(text.getvalue(), encoding='utf-8')

    def _register(self, topic: Topic, schema: int) -> int:
        about = {
            'offered_qos_profiles': _qos_text(topic.offered),
            'topic_type_hash': hash_of(topic.kind),
        }
        return self._mcap.register_channel(topic.name, 'cdr', schema, about)

    def _metadata(self) -> dict[str, Any]:
        duration = {'nanoseconds': self._last_ns - self._first_ns}
        start = {'nanoseconds_since_epoch': self._first_ns}
        file = {
            'path': self._name,
            'starting_time': start,
            'duration': duration,
            'message_count': self.message_count,
        }
        return {
            'rosbag2_bagfile_information': {
                'version': METADATA_VERSION,
                'storage_identifier': 'mcap',
                'duration': dict(duration),
                'starting_time': dict(start),
                'message_count': self.message_count,
                'topics_with_message_count': [
                    {
                        'topic_metadata': {
                            'name': channel.topic.name,
                            'type': type_name(channel.topic.kind),
                            'serialization_format': 'cdr',
                            'offered_qos_profiles': _qos_text(channel.topic.offered),
                            'type_description_hash': hash_of(channel.topic.kind),
                        },
                        'message_count': channel.count,
                    }
                    for channel in self._channels.values()
                ],
                'compression_format': '',
                'compression_mode': '',
                'relative_file_paths': [self._name],
                'files': [file],
                'custom_data': {},
                'ros_distro': os.environ.get('ROS_DISTRO', PIP_DISTRIBUTION),
            }
        }


def _qos_text(qos: QoSProfile) -> str:
    """A list of one profile as YAML inside a string: numbers are those of rmw."""
    profile = {
        'history': int(qos.history),
        'depth': qos.depth,
        'reliability': int(qos.reliability),
        'durability': int(qos.durability),
        'deadline': dict(FOREVER),
        'lifespan': dict(FOREVER),
        'liveliness': int(qos.liveliness),
        'liveliness_lease_duration': dict(FOREVER),
        'avoid_ros_namespace_conventions': False,
    }
    text = io.StringIO()
    YAML(typ='safe').dump([profile], text)
    return text.getvalue()
