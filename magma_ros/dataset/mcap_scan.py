"""Reads an MCAP file from the front and believes nothing it says about itself.

No index is used, so a file that is still being written, was cut off by kill -9 or has lost its
end reads like any other. Every length is compared with the file before anything is read, and
every chunk with its checksum.
"""

from __future__ import annotations

import enum
import io
import struct
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeVar

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, McapRecord, Metadata, Schema

from magma_ros.dataset.chosen_channels import ChosenChannels
from magma_ros.dataset.mcap_records import MAGIC, MESSAGE_FIELDS, RECORD_HEAD
from magma_ros.errors import RecordingError

LARGEST_RECORD = 1024**3  # bytes; rosbag2's largest chunks have some MB
LARGEST_CHUNK = 512 * 1024**2  # bytes when decompressed
MOST_CHANNELS = 4096
PRIVATE = 0x80  # opcodes from here on are others' own business
Record = TypeVar('Record', bound=McapRecord)


class Ending(enum.Enum):
    """How a file ends."""

    FINISHED = 'finished'
    UNFINISHED = 'unfinished'  # still being written, or its writer was killed
    DAMAGED = 'damaged'


@dataclass(frozen=True)
class RawMessage:
    """A message record; ``data`` is None where it was not asked for."""

    channel: int
    sequence: int
    log_ns: int
    publish_ns: int
    data: bytes | None


@dataclass(frozen=True)
class Damage:
    """What is wrong, and from which byte on."""

    offset: int
    what: str


Item = RawMessage | Schema | Channel | Attachment | Metadata


class _BrokenError(Exception):
    """A record that cannot be what it says."""


class McapScan:
    """The records of a file in its order. Use with ``with`` and iterate once.

    ``start`` is the offset of the record that the last item is of. Afterwards ``ending`` says how
    it ended, ``damages`` what was left out, and ``end`` is the offset behind the last record that
    was whole.

    Args:
        path: the file; a symbolic link is refused.
        with_data: read the data of messages, too.
        topics: only of these; None: of all.

    Raises:
        RecordingError: no MCAP file, or it cannot be opened.
    """

    def __init__(
        self, path: Path, with_data: bool = True, topics: Container[str] | None = None
    ) -> None:
        self.path, self._chosen = path, ChosenChannels(with_data, topics)
        if path.is_symlink() or not path.is_file():
            raise RecordingError(f'{path} is a link or no file; bags are read from plain files')
        try:
            self._file: BinaryIO = path.open('rb')
        except OSError as error:
            raise RecordingError(f'{path} cannot be opened: {error.strerror}') from error
        self.size = self._file.seek(0, io.SEEK_END)
        self._file.seek(max(0, self.size - len(MAGIC)))
        self._has_end = self._file.read() == MAGIC and self.size > len(MAGIC)
        self._file.seek(0)
        start = self._file.read(len(MAGIC))
        if not MAGIC.startswith(start):
            self._file.close()
            raise RecordingError(f'{path}, byte 0: no MCAP file; is it another kind of bag?')
        self.start = self.end = len(start)
        self.ending = Ending.UNFINISHED
        self.damages: list[Damage] = []
        self.data_crc = 0  # of the whole data section, as the file says; 0: it does not
        self.data_end: int | None = None  # where that section ends

    def __enter__(self) -> McapScan:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Item]:
        """Everything that is whole; damage ends the iteration, or costs the chunk it is in."""
        channels: set[int] = set()
        while self.ending is Ending.UNFINISHED:
            offset = self.start = self.end
            try:
                found = self._next(offset)
            except (
                _BrokenError,
                McapError,
                ValueError,
                struct.error,
                OverflowError,
            ) as error:
                found = None
                self.damages.append(Damage(offset, str(error) or type(error).__name__))
                if self.end == offset:  # where the next record begins is not known
                    self.ending = Ending.DAMAGED
            if found is None:
                if self.end == offset:
                    break
                self._file.seek(self.end)
                continue
            for item in found:
                if isinstance(item, Channel):
                    channels.add(item.id)
                    if len(channels) > MOST_CHANNELS:
                        raise RecordingError(
                            f'{self.path}, byte {offset}: more than {MOST_CHANNELS} topics; '
                            'this is no recording of a robot'
                        )
                yield item
        if self.damages or (self._has_end and self.ending is Ending.UNFINISHED):
            if not self.damages:
                self.damages.append(Damage(self.end, 'a record that is longer than the file'))
            self.ending = Ending.DAMAGED

    def _next(self, offset: int) -> list[Item] | Iterator[Item] | None:
        """The items of the record at ``offset``; None: the file ends within it."""
        head = self._read(RECORD_HEAD.size)
        if len(head) < RECORD_HEAD.size:
            return None
        opcode, length = RECORD_HEAD.unpack(head)
        end = offset + RECORD_HEAD.size + length
        if end > self.size:
            return None
        if not (0 < opcode <= Opcode.DATA_END or opcode >= PRIVATE):
            raise _BrokenError(f'there is no record of kind {opcode}')
        if length > LARGEST_RECORD:
            raise _BrokenError(f'a record of {length} bytes; at most {LARGEST_RECORD} are read')
        self.end = end
        if opcode == Opcode.MESSAGE:
            return [self._message(length)]
        body = self._read(length)
        if opcode == Opcode.DATA_END:
            (self.data_crc,) = struct.unpack('<I', body)
            self.data_end = offset
        if opcode == Opcode.FOOTER:
            magic = self._read(len(MAGIC) + 1)
            if magic != MAGIC:
                if not MAGIC.startswith(magic):
                    raise _BrokenError('something follows the footer')
                self.end = offset  # cut within the last bytes
                return None
            self.end, self.ending = self.size, Ending.FINISHED
        return [] if self.data_end is not None else _items(opcode, body, self._chosen)

    def _message(self, length: int) -> RawMessage:
        size = length - MESSAGE_FIELDS.size
        if size < 0:
            raise _BrokenError(f'a message of {length} bytes')
        head = self._read(MESSAGE_FIELDS.size)
        if self._chosen.has(head):
            return _message(head, self._read(size))
        self._file.seek(size, io.SEEK_CUR)
        return _message(head, None)

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise RecordingError(f'{self.path}, byte {self.end}: {error.strerror}') from error


def _message(head: bytes | memoryview, data: bytes | None) -> RawMessage:
    channel, sequence, log_ns, publish_ns = MESSAGE_FIELDS.unpack_from(head)
    return RawMessage(channel, sequence, log_ns, publish_ns, data)


def _items(opcode: int, body: bytes, chosen: ChosenChannels) -> list[Item]:
    """What a record outside the summary means for a reader."""
    if opcode == Opcode.SCHEMA:
        return [_parse(Schema, body)]
    if opcode == Opcode.CHANNEL:
        return [chosen.note(_parse(Channel, body))]
    if opcode == Opcode.METADATA:
        return [_parse(Metadata, body)]
    if opcode == Opcode.ATTACHMENT:
        if zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], 'little'):
            raise _BrokenError('an attachment whose checksum is wrong')
        return [_parse(Attachment, body)]
    if opcode == Opcode.CHUNK:
        return _items_of_chunk(decompress(_parse(Chunk, body)), chosen)
    return []


def _items_of_chunk(records: bytes, chosen: ChosenChannels) -> list[Item]:
    items: list[Item] = []
    at, view = 0, memoryview(records)
    while at < len(records):
        if at + RECORD_HEAD.size > len(records):
            raise _BrokenError('a chunk that ends within a record')
        opcode, length = RECORD_HEAD.unpack_from(records, at)
        at += RECORD_HEAD.size
        body = view[at : at + length]
        if len(body) < length:
            raise _BrokenError('a chunk that ends within a record')
        if opcode == Opcode.MESSAGE:
            data = bytes(body[MESSAGE_FIELDS.size :]) if chosen.has(body) else None
            items.append(_message(body, data))
        elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            items += _items(opcode, bytes(body), chosen)
        at += length
    return items


def decompress(chunk: Chunk) -> bytes:
    """The records of a chunk, never more of them than it announces.

    Raises:
        _BrokenError: it is damaged, or more than can be meant.
    """
    size = chunk.uncompressed_size
    if size > LARGEST_CHUNK:
        raise _BrokenError(f'a chunk of {size} bytes; at most {LARGEST_CHUNK} are decompressed')
    try:
        if chunk.compression == 'zstd':
            with zstandard.ZstdDecompressor().stream_reader(chunk.data) as stream:
                records = stream.read(size + 1)
        elif chunk.compression == 'lz4':
            records = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, size + 1)
        elif chunk.compression == '':
            records = chunk.data
        else:
            raise _BrokenError(
                f'a chunk compressed by {chunk.compression[:20]!r}; lz4 and zstd are'
            )
    except (zstandard.ZstdError, RuntimeError, EOFError) as error:
        raise _BrokenError('a chunk that cannot be decompressed') from error
    if len(records) != size:
        raise _BrokenError(f'a chunk of {len(records)} bytes that should have {size}')
    if chunk.uncompressed_crc and zlib.crc32(records) != chunk.uncompressed_crc:
        raise _BrokenError('a chunk whose checksum is wrong')
    return records


def _parse(kind: type[Record], body: bytes) -> Record:
    stream = ReadDataStream(io.BytesIO(body))
    record = kind.read(stream)  # type: ignore[attr-defined]  # every kind but messages has it
    if stream.count != len(body):  # a field that says it is longer than the record, or shorter
        raise _BrokenError(f'a {kind.__name__.lower()} record with a wrong length inside')
    return record
