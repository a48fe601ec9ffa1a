"""Writes one episode as a rosbag2 folder with a journalled MCAP file.

The file has no chunks while it grows: every message is in the kernel when :meth:`write` returns,
so kill -9 loses none of them. The index, checksums and compression come with the rewriting
(``bag_rewrite.py``); a file that was closed here is complete and playable without.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    Header,
    Metadata,
    MetadataIndex,
    Schema,
)

from magma_ros.dataset.bag_metadata import METADATA, RECORD_NAME, metadata_text
from magma_ros.dataset.journal import Journal, as_recording_error
from magma_ros.dataset.mcap_records import (
    LIBRARY,
    MAGIC,
    PROFILE,
    FileSummary,
    encode,
    message_head,
)
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.errors import DiskError

DISORDER_NS = 100_000_000  # between topics; what goes back further is a clock that was set


class EpisodeWriter:
    """A bag that can be read from its first moment on. Use with ``with``, or :meth:`close` it.

    Args:
        folder: of the episode; it is made and must not exist.

    Raises:
        DiskError: the disk is full, read-only or gone.
        RecordingError: the folder exists or cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise as_recording_error(error, folder) from error
        self.folder = folder
        self.file_name = f'{folder.name}_0.mcap'  # what `ros2 bag reindex` looks for
        self.clamped = 0  # messages with another time than they came at: the clock was set back
        self.summary = FileSummary()
        self._shift_ns = 0  # added to times since the clock was set back
        self._channels: dict[str, int] = {}
        self._is_open = True
        self._journal = Journal(folder / self.file_name)
        self._journal.append(MAGIC, encode(Header(PROFILE, LIBRARY)))

    def __enter__(self) -> EpisodeWriter:
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
    def size(self) -> int:
        """Bytes written."""
        return self._journal.size

    def add_topic(self, topic: RecordedTopic) -> None:
        """Make known a topic that messages will be written of; again: nothing.

        Raises:
            DiskError, RecordingError: as :meth:`write`.
        """
        if topic.name in self._channels:
            return
        summary, number = self.summary, len(self._channels) + 1
        schema = Schema(number, topic.definition.encode(), 'ros2msg', topic.type_name)
        about = {'offered_qos_profiles': topic.qos_yaml, 'topic_type_hash': topic.type_hash}
        channel = Channel(number, topic.name, 'cdr', about, number)
        self._journal.append(encode(schema, channel))
        summary.schemas[number], summary.channels[number] = schema, channel
        summary.counts[number] = 0
        self._channels[topic.name] = number

    def write(self, arrival: Arrival) -> None:
        """Add one message of a known topic; it cannot be lost any more when this returns.

        Readers need time to go on (un-chunked files are read in file order): a clock set back is
        not followed, its messages are counted in ``clamped`` and keep their distances.

        Raises:
            DiskError: the disk is full, read-only or gone.
            RecordingError: the file cannot be written for another reason.
        """
        summary, channel = self.summary, self._channels[arrival.topic]
        log_ns = self._time_of(arrival.received_ns)
        sequence = summary.counts[channel] + 1
        head = message_head(channel, sequence, log_ns, arrival.published_ns, len(arrival.data))
        self._journal.append(head, arrival.data)
        self.clamped += log_ns != arrival.received_ns
        summary.count(channel, log_ns)

    def _time_of(self, received_ns: int) -> int:
        """Never earlier than the message before."""
        last_ns = self.summary.last_ns
        if received_ns >= last_ns:
            self._shift_ns = 0
        elif received_ns + self._shift_ns < last_ns - DISORDER_NS:
            self._shift_ns = last_ns - received_ns
        return max(last_ns, received_ns + self._shift_ns)

    def attach(self, name: str, media_type: str, data: bytes, now_ns: int) -> None:
        """Put a file into the bag, such as the URDF."""
        record = encode(Attachment(now_ns, now_ns, name, media_type, data))
        offset = self.size
        self._journal.append(record)
        self.summary.attachments.append(
            AttachmentIndex(offset, len(record), now_ns, now_ns, len(data), name, media_type)
        )

    def note(self, name: str, values: Mapping[str, str]) -> None:
        """Put a metadata record into the bag."""
        record = encode(Metadata(name, dict(values)))
        offset = self.size
        self._journal.append(record)
        self.summary.metadata.append(MetadataIndex(offset, len(record), name))

    def sync(self) -> None:
        """Wait until the disk has what was written."""
        self._journal.sync()

    def close(self) -> None:
        """Write what other readers need: the end of the file and metadata.yaml. Again: nothing.

        Raises:
            DiskError: there is no room even for that; the file is readable all the same, and
                magma bags repair ends it.
        """
        if not self._is_open:
            return
        self._is_open = False
        text = metadata_text(self.file_name, self.summary)
        try:
            self._journal.free_reserve()
            self.note(RECORD_NAME, {'serialized_metadata': text})
            self._journal.append(self.summary.ending(self.size))
            with contextlib.suppress(DiskError):
                self._journal.sync()  # whatever could be written is written
            (self.folder / METADATA).write_text(text, encoding='utf-8')
        except OSError as error:
            raise as_recording_error(error, self.folder / METADATA) from error
        finally:
            self._journal.close()
