"""All messages of a bag in the order of their arrival; memory does not grow with its length."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from mcap.records import Channel, Schema

from magma_ros.dataset.mcap_scan import Ending, McapScan, RawMessage
from magma_ros.dataset.reading.bag_folder import BagFile, BagFolder
from magma_ros.dataset.reading.decompression import unpack_message, unpacked
from magma_ros.dataset.reading.sqlite_bag import read_sqlite
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.reading.unfolded_video import unfold_videos
from magma_ros.errors import RecordingError

ORDER_NS = 100_000_000  # messages of several topics are written this far out of order
MOST_HELD = 4096  # messages that wait for their order


@dataclass
class MessageStream:
    """Iterate once. Afterwards ``notes`` says what was wrong with the files.

    Args:
        bag: to be read.
        topics: whose data is wanted; None: all.
        despite_damage: go on behind what cannot be read, instead of an error.

    Raises:
        RecordingError: damage, or times that jump back; names file and byte.
    """

    bag: BagFolder
    topics: Container[str] | None = None
    despite_damage: bool = False
    notes: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[StreamMessage]:
        """The messages."""
        waiting: list[tuple[int, int, StreamMessage]] = []
        newest_ns = 0
        for count, message in enumerate(unfold_videos(self._in_file_order())):
            if message.log_ns < newest_ns - ORDER_NS:
                raise RecordingError(
                    f'{message.where}: {message.topic} goes back '
                    f'{(newest_ns - message.log_ns) * 1e-9:.3f} s in time. Two clocks, or one '
                    'that was set while recording: magma bags cut makes bags of its parts'
                )
            newest_ns = max(newest_ns, message.log_ns)
            heapq.heappush(waiting, (message.log_ns, count, message))
            while waiting[0][0] < newest_ns - ORDER_NS or len(waiting) > MOST_HELD:
                yield heapq.heappop(waiting)[2]
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _in_file_order(self) -> Iterator[StreamMessage]:
        for file in self.bag.files:
            with ExitStack() as stack:
                path = stack.enter_context(unpacked(file.path)) if file.is_compressed else None
                for message in self._read(file, path or file.path):
                    yield self._unpacked(replace(message, file=file.path) if path else message)

    def _read(self, file: BagFile, path: Path) -> Iterator[StreamMessage]:
        if file.kind == 'db3':
            return read_sqlite(path, self.topics)
        return self._read_mcap(path)

    def _read_mcap(self, path: Path) -> Iterator[StreamMessage]:
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}
        with McapScan(path, topics=self.topics) as scan:
            for item in scan:
                if scan.damages and not self.despite_damage:
                    break
                if isinstance(item, Schema):
                    schemas[item.id] = item
                elif isinstance(item, Channel):
                    channels[item.id] = item
                elif isinstance(item, RawMessage):
                    channel = channels.get(item.channel)
                    schema = schemas.get(channel.schema_id) if channel else None
                    if channel is None or schema is None:
                        self._complain(path, scan.start, 'a message of an unknown topic')
                    elif item.data is not None:
                        topic, kind = channel.topic, schema.name
                        yield StreamMessage(topic, kind, item.log_ns, item.data, path, scan.start)
            for damage in scan.damages:
                self._complain(path, damage.offset, damage.what)
            if scan.ending is Ending.UNFINISHED:
                lost = scan.size - scan.end
                self.notes.append(f'{path.name}: its recorder was killed; {lost} bytes are lost')

    def _unpacked(self, message: StreamMessage) -> StreamMessage:
        if not self.bag.are_messages_compressed:
            return message
        try:
            return replace(message, data=unpack_message(message.data))
        except ValueError as error:
            raise RecordingError(f'{message.where}: {error}') from error

    def _complain(self, path: Path, offset: int, what: str) -> None:
        text = f'{path}, byte {offset}: {what}'
        if not self.despite_damage:
            raise RecordingError(f'{text}. magma bags repair keeps what can be read')
        self.notes.append(text)
