"""CDR of standard messages -> objects with their fields, by the rosbags package. No ROS.

Only types that come with rosbags are read; definitions in a bag are never used, for they are
turned into code.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import RecordingError

STRUCT = {0: '>iI', 1: '<iI'}  # by the second byte of the encapsulation
NS = 1_000_000_000


@cache
def _types() -> Typestore:
    return get_typestore(Stores.ROS2_JAZZY)


def decode(message: StreamMessage) -> Any:
    """The message with its fields as attributes; sequences of numbers are arrays.

    Raises:
        RecordingError: an unknown type, or bytes that are no such message.
    """
    if message.type_name not in _types().fielddefs:
        raise RecordingError(
            f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}, which is '
            'not known; map another topic'
        )
    try:
        return _types().deserialize_cdr(message.data, message.type_name)
    # The deserialiser is made code: what it raises at damaged bytes is whatever Python does.
    except Exception as error:
        raise RecordingError(
            f'{message.where}: {message.topic} is no {message.type_name} ({error!r:.120})'
        ) from error


def header_stamp_ns(message: StreamMessage) -> int:
    """The stamp of a message that begins with a std_msgs/Header.

    Raises:
        RecordingError: too short, or not plain CDR.
    """
    data = message.data
    if len(data) < 12 or data[0] != 0 or data[1] not in STRUCT:
        raise RecordingError(f'{message.where}: {message.topic} has no header of CDR')
    seconds, nanoseconds = struct.unpack_from(STRUCT[data[1]], data, 4)
    return int(seconds * NS + nanoseconds)
