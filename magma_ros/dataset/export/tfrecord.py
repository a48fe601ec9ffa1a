"""Records of ``tf.train.Example`` in a TFRecord file, without TensorFlow.

Sources: tensorflow ``core/example/{example,feature}.proto`` and ``core/lib/io/record_writer.h``.
A record is as long as an episode, so its pictures stay in their files until they are written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np
from numpy.typing import ArrayLike

Part = bytes | Path  # a path stands for the contents of its file
Feature = list[Part]

LENGTH_DELIMITED = 2  # protobuf's wire type of texts, messages and packed numbers
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3  # fields of Feature
UNSIGNED = (1 << 64) - 1
CRC_DELTA = 0xA282EAD8


def encode_example(features: Mapping[str, Feature]) -> list[Part]:
    """An Example. The keys are sorted: the same features make the same bytes."""
    entries: list[Part] = []
    for name in sorted(features):
        entries += _field(1, [*_field(1, [name.encode()]), *_field(2, features[name])])
    return _field(1, entries)


def bytes_feature(values: Iterable[Part]) -> Feature:
    """A list of texts or pictures."""
    return _field(BYTES_LIST, [part for value in values for part in _field(1, [value])])


def float_feature(values: ArrayLike) -> Feature:
    """A list of 32-bit floats; arrays row by row."""
    return _field(FLOAT_LIST, _field(1, [np.asarray(values, '<f4').tobytes()]))


def int64_feature(values: ArrayLike) -> Feature:
    """A list of whole numbers or booleans."""
    numbers = np.asarray(values, np.int64).ravel().tolist()
    packed = b''.join(_varint(number & UNSIGNED) for number in numbers)
    return _field(INT64_LIST, _field(1, [packed]))


def _field(number: int, content: list[Part]) -> list[Part]:
    return [_varint(number << 3 | LENGTH_DELIMITED) + _varint(_size(content)), *content]


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _size(parts: Iterable[Part]) -> int:
    return sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in parts)


def write_record(stream: BinaryIO, content: list[Part]) -> int:
    """Append a record with its checksums; the bytes of its content."""
    size = _size(content)
    length = struct.pack('<Q', size)
    stream.write(length + _masked(google_crc32c.value(length)))
    checksum = 0
    for part in content:
        data = part if isinstance(part, bytes) else part.read_bytes()
        checksum = google_crc32c.extend(checksum, data)
        stream.write(data)
    stream.write(_masked(checksum))
    return size


def _masked(checksum: int) -> bytes:
    """So that the checksum of data with checksums in it is as good as of any other."""
    rotated = checksum >> 15 | checksum << 17
    return struct.pack('<I', (rotated + CRC_DELTA) & 0xFFFFFFFF)
