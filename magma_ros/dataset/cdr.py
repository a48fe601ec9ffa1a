"""The few shapes of serialised messages that are read and written without ROS.

Plain CDR, little endian (OMG DDS-RTPS 10.2): every field is aligned to its own size, counted from
behind the four bytes that say so.
"""

from __future__ import annotations

import struct

LITTLE_ENDIAN = b'\x00\x01\x00\x00'


class CdrReader:
    """Reads fields one after the other.

    Raises:
        ValueError: another encoding. Its methods raise struct.error where the message ends, and
        ValueError where a length or a text cannot be.
    """

    def __init__(self, message: bytes) -> None:
        if message[:2] != LITTLE_ENDIAN[:2]:
            raise ValueError('its CDR is not little endian')
        self.body, self.at = memoryview(message)[4:], 0

    def byte(self) -> int:
        """One byte."""
        self.at += 1
        return struct.unpack_from('<B', self.body, self.at - 1)[0]

    def numbers(self, count: int) -> tuple[int, ...]:
        """Unsigned numbers of four bytes."""
        start = aligned(self.at)
        self.at = start + 4 * count
        return struct.unpack_from(f'<{count}I', self.body, start)

    def octets(self) -> memoryview:
        """A sequence of bytes, not copied."""
        (size,) = self.numbers(1)
        if self.at + size > len(self.body):
            raise ValueError(f'{size} bytes are said to follow, there are fewer')
        self.at += size
        return self.body[self.at - size : self.at]

    def text(self) -> str:
        """A string."""
        return bytes(self.octets()).rstrip(b'\0').decode()


def aligned(at: int) -> int:
    """Where the next field of four bytes begins."""
    return (at + 3) // 4 * 4


def padded(data: bytes) -> bytes:
    """Filled up to the next field of four bytes."""
    return data.ljust(aligned(len(data)), b'\0')


def cdr_octets(data: bytes) -> bytes:
    """A sequence of bytes."""
    return struct.pack('<I', len(data)) + data


def cdr_string(text: str) -> bytes:
    """A string."""
    return cdr_octets(text.encode() + b'\0')
