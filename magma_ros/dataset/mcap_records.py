"""MCAP records as bytes, and the end of a file that has no chunks (mcap.dev/spec).

The ``mcap`` package lays out the records. Its ``Writer`` is not used here: it counts a message
before it is written, so that after a full disk its statistics would be wrong.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    AttachmentIndex,
    Channel,
    DataEnd,
    Footer,
    McapRecord,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.writer import MCAP0_MAGIC

MAGIC: bytes = MCAP0_MAGIC
PROFILE, LIBRARY = 'ros2', 'magma_ros'
RECORD_HEAD = struct.Struct('<BQ')  # opcode, length of the body
MESSAGE_FIELDS = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time


def encode(*records: McapRecord) -> bytes:
    """The bytes of records, one after the other."""
    builder = RecordBuilder()
    for record in records:
        record.write(builder)
    return builder.end()


def message_head(channel: int, sequence: int, log_ns: int, publish_ns: int, size: int) -> bytes:
    """All of a message record but its data, which need not be copied to be written."""
    return RECORD_HEAD.pack(Opcode.MESSAGE, MESSAGE_FIELDS.size + size) + MESSAGE_FIELDS.pack(
        channel, sequence % 2**32, log_ns, publish_ns
    )


@dataclass
class FileSummary:
    """What is in one MCAP file; grows as the file is written or read."""

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)  # messages by channel
    first_ns: int = 0
    last_ns: int = 0
    attachments: list[AttachmentIndex] = field(default_factory=list)
    metadata: list[MetadataIndex] = field(default_factory=list)

    @property
    def message_count(self) -> int:
        """Messages of all channels."""
        return sum(self.counts.values())

    @property
    def duration_s(self) -> float:
        """From the first message to the last."""
        return (self.last_ns - self.first_ns) * 1e-9

    def count(self, channel: int, log_ns: int) -> None:
        """Take one message into account."""
        if not self.message_count:
            self.first_ns = self.last_ns = log_ns
        self.counts[channel] = self.counts.get(channel, 0) + 1
        self.first_ns = min(self.first_ns, log_ns)
        self.last_ns = max(self.last_ns, log_ns)

    def ending(self, offset: int) -> bytes:
        """Data End, summary section and footer of a file without chunks that is so long."""
        data_end = encode(DataEnd(0))
        start = offset + len(data_end)
        summary, offsets = b'', []
        for opcode, records in self._groups():
            group = encode(*records)
            offsets.append(SummaryOffset(opcode, len(group), start + len(summary)))
            summary += group
        offsets_start = start + len(summary)
        summary += encode(*offsets)
        footer = struct.pack('<BQQQ', Opcode.FOOTER, 20, start, offsets_start)
        crc = zlib.crc32(footer, zlib.crc32(summary))
        return data_end + summary + encode(Footer(start, offsets_start, crc)) + MAGIC

    def _groups(self) -> list[tuple[Opcode, list[McapRecord]]]:
        groups: list[tuple[Opcode, list[McapRecord]]] = [
            (Opcode.SCHEMA, [*self.schemas.values()]),
            (Opcode.CHANNEL, [*self.channels.values()]),
            (Opcode.STATISTICS, [self._statistics()]),
            (Opcode.ATTACHMENT_INDEX, [*self.attachments]),
            (Opcode.METADATA_INDEX, [*self.metadata]),
        ]
        return [(opcode, records) for opcode, records in groups if records]

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=len(self.attachments),
            channel_count=len(self.channels),
            channel_message_counts=dict(self.counts),
            chunk_count=0,
            message_count=self.message_count,
            message_end_time=self.last_ns,
            message_start_time=self.first_ns,
            metadata_count=len(self.metadata),
            schema_count=len(self.schemas),
        )
