"""``metadata.yaml`` of a rosbag2 folder, from what is in its file.

Version 8 is the newest that Humble reads as well as Jazzy (rosbag2: ``metadata_io.cpp``
of Humble and ``yaml.hpp`` of Jazzy): quality of service is YAML inside a string.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from magma_ros.dataset.mcap_records import FileSummary
from magma_ros.errors import RecordingError

METADATA = 'metadata.yaml'
RECORD_NAME = 'rosbag2'  # of the metadata record inside the file that holds the same text
VERSION = 8
PIP_DISTRIBUTION = 'kilted'  # what the wheels are
LARGEST = 1024**2  # bytes of metadata that are read: hundreds of topics
MOST_BRACKETS = 10_000  # in it: nesting without end would keep the parser busy for minutes


def metadata_text(file_name: str, summary: FileSummary) -> str:
    """The YAML for a bag of one file."""
    duration = {'nanoseconds': summary.last_ns - summary.first_ns}
    start = {'nanoseconds_since_epoch': summary.first_ns}
    count = summary.message_count
    information = {
        'version': VERSION,
        'storage_identifier': 'mcap',
        'duration': duration,
        'starting_time': start,
        'message_count': count,
        'topics_with_message_count': [
            {
                'topic_metadata': {
                    'name': channel.topic,
                    'type': summary.schemas[channel.schema_id].name,
                    'serialization_format': 'cdr',
                    'offered_qos_profiles': channel.metadata.get('offered_qos_profiles', ''),
                    'type_description_hash': channel.metadata.get('topic_type_hash', ''),
                },
                'message_count': summary.counts.get(number, 0),
            }
            for number, channel in summary.channels.items()
        ],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [file_name],
        'files': [
            {
                'path': file_name,
                'starting_time': dict(start),
                'duration': dict(duration),
                'message_count': count,
            }
        ],
        'custom_data': {},
        'ros_distro': os.environ.get('ROS_DISTRO', PIP_DISTRIBUTION),
    }
    return to_yaml({'rosbag2_bagfile_information': information})


def to_yaml(value: Any) -> str:
    """Plain data as YAML."""
    text = io.StringIO()
    YAML(typ='safe').dump(value, text)
    return text.getvalue()


def read_information(path: Path) -> dict[str, Any]:
    """What a metadata.yaml says, none of it checked but that it is a table.

    Raises:
        RecordingError: it is too long, not YAML, nested without end, or not of a bag.
    """
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST:
            raise RecordingError(f'{path} is a link or longer than {LARGEST} bytes; not read')
        text = path.read_text(encoding='utf-8')
        if text.count('[') + text.count('{') > MOST_BRACKETS:
            raise RecordingError(f'{path} has more than {MOST_BRACKETS} brackets; not read')
        content = YAML(typ='safe').load(text)
        information = content['rosbag2_bagfile_information']
    except (OSError, YAMLError, RecursionError, ValueError, LookupError, TypeError) as error:
        raise RecordingError(
            f'{path} cannot be read ({type(error).__name__}); magma bags repair writes it anew'
        ) from error
    if not isinstance(information, dict):
        raise RecordingError(f'{path} is not of a bag; magma bags repair writes it anew')
    return information
