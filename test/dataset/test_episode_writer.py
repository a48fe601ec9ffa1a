"""What other people's readers make of our bags, and what a full disk leaves."""

from __future__ import annotations

import errno
import itertools
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mcap.reader import make_reader
from messages import LATCHED, START_NS, STRING, STRING_HASH, arrival, number

from magma_ros.dataset.bag_reader import read_messages, report_file
from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.journal import RESERVE, Journal
from magma_ros.dataset.mcap_records import MAGIC
from magma_ros.dataset.mcap_scan import Ending
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.errors import DiskError, RecordingError

rosbags_reader = pytest.importorskip('rosbags.highlevel')


@pytest.mark.parametrize('chunks', [None, 'plain', 'lz4', 'zstd'])
def test_rosbags_and_mcap_read_what_was_written(
    write_bag: Callable[..., Path], chunks: str | None
) -> None:
    bag = write_bag(count=30)
    if chunks is not None:
        rewrite_bag(bag, chunks)  # type: ignore[arg-type]
    with rosbags_reader.AnyReader([bag]) as reader:
        (connection,) = reader.connections
        assert (connection.topic, connection.msgtype) == ('/said', 'std_msgs/msg/String')
        assert connection.digest == STRING_HASH
        assert connection.msgcount == 30
        found = [(t, reader.deserialize(raw, c.msgtype).data) for c, t, raw in reader.messages()]
    assert found == [(START_NS + i * 1_000_000, str(i)) for i in range(30)]

    with (bag / 'episode_0.mcap').open('rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        summary = reader.get_summary()
        (schema,) = summary.schemas.values()
        assert (schema.name, schema.encoding) == ('std_msgs/msg/String', 'ros2msg')
        assert summary.statistics.message_count == 30
        messages = [message for _, _, message in reader.iter_messages()]
        assert [m.sequence for m in messages] == list(range(1, 31))
        assert messages[3].publish_time == START_NS + 3_000_000 - 1000
        assert [one.data for one in reader.iter_attachments()] == [b'<robot/>']
        assert [one.name for one in reader.iter_metadata()] == ['magma_context', 'rosbag2']


def test_the_summary_has_its_checksum(write_bag: Callable[..., Path]) -> None:
    # Spec, Footer: from the start of the summary to the end of summary_offset_start.
    content = (write_bag() / 'episode_0.mcap').read_bytes()
    body = content[: -len(MAGIC)]
    start, _, crc = struct.unpack('<QQI', body[-20:])
    assert zlib.crc32(body[start:-4]) == crc


def test_a_quality_of_service_survives(tmp_path: Path) -> None:
    from rosbags.interfaces import QosDurability

    with EpisodeWriter(tmp_path / 'bag') as writer:
        for topic in (STRING, LATCHED):
            writer.add_topic(topic)
            writer.write(arrival(0, topic=topic.name))
    with rosbags_reader.AnyReader([tmp_path / 'bag']) as reader:
        profiles = {c.topic: c.ext.offered_qos_profiles[0] for c in reader.connections}
    assert profiles['/latched'].durability is QosDurability.TRANSIENT_LOCAL
    assert profiles['/said'].durability is QosDurability.VOLATILE


def test_an_open_file_can_be_read_at_any_moment(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path / 'bag')
    writer.add_topic(STRING)
    for index in range(10):
        writer.write(arrival(index))
        assert [number(m.data) for m in read_messages(tmp_path / 'bag')] == list(range(index + 1))
    assert report_file(tmp_path / 'bag' / 'bag_0.mcap').ending is Ending.UNFINISHED
    writer.close()
    assert report_file(tmp_path / 'bag' / 'bag_0.mcap').ending is Ending.FINISHED


def test_a_clock_set_back_is_held_and_counted(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / 'bag') as writer:
        writer.add_topic(STRING)
        for step_ns in (0, 500_000_000, 200_000_000, 900_000_000):
            writer.write(Arrival('/said', arrival(0).data, START_NS + step_ns, START_NS))
        assert writer.clamped == 1
    times = [m.log_ns - START_NS for m in read_messages(tmp_path / 'bag')]
    assert times == [0, 500_000_000, 500_000_000, 900_000_000]


def test_times_go_on_while_a_clock_is_an_hour_slow(tmp_path: Path) -> None:
    hour_ns = 3_600_000_000_000
    came = [0, 10, 20 - hour_ns, 25 - hour_ns, 40 - hour_ns, 50]  # set back, then right again
    with EpisodeWriter(tmp_path / 'bag') as writer:
        writer.add_topic(STRING)
        for at_ns in came:
            writer.write(Arrival('/said', arrival(0).data, START_NS + at_ns, START_NS))
    assert writer.clamped == 3
    messages = list(read_messages(tmp_path / 'bag'))
    assert [m.log_ns - START_NS for m in messages] == [0, 10, 10, 15, 30, 50]


def test_nothing_is_overwritten(write_bag: Callable[..., Path]) -> None:
    bag = write_bag()
    before = (bag / 'episode_0.mcap').read_bytes()
    with pytest.raises(RecordingError, match='File exists'):
        EpisodeWriter(bag)
    assert (bag / 'episode_0.mcap').read_bytes() == before


def fill(writer: EpisodeWriter, first: int) -> Iterator[None]:
    """Writes until somebody stops it."""
    for index in itertools.count(first):
        writer.write(arrival(index))
        yield


class FullDisk:
    """``os.writev`` and ``os.write`` of a disk with so many bytes left."""

    def __init__(self, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = free
        self._writev = os.writev
        monkeypatch.setattr(os, 'writev', self.writev)
        monkeypatch.setattr(os, 'write', lambda file, data: self.writev(file, [data]))

    def writev(self, file: int, parts: list[bytes]) -> int:
        data = b''.join(parts)[: self.free]
        if not data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.free -= len(data)
        return self._writev(file, [data])


@pytest.mark.parametrize('free', [1, 20, 31, 100, 4096])
def test_a_full_disk_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    writer = EpisodeWriter(tmp_path / 'bag')
    writer.add_topic(STRING)
    writer.write(arrival(0))
    disk = FullDisk(free, monkeypatch)
    with pytest.raises(DiskError, match='No space left on device.*make room'):
        deque(fill(writer, 1), maxlen=0)
    count = writer.summary.message_count
    free_reserve = Journal.free_reserve

    def give_room(journal: Journal) -> None:
        free_reserve(journal)
        disk.free = RESERVE

    monkeypatch.setattr(Journal, 'free_reserve', give_room)
    assert (tmp_path / 'bag' / 'bag_0.reserve').stat().st_size == RESERVE
    writer.close()
    with rosbags_reader.AnyReader([tmp_path / 'bag']) as reader:
        assert reader.message_count == count
        assert [number(raw) for _, _, raw in reader.messages()] == list(range(count))
    assert sorted(p.name for p in (tmp_path / 'bag').iterdir()) == ['bag_0.mcap', 'metadata.yaml']


def test_a_disk_without_any_room_leaves_a_readable_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = EpisodeWriter(tmp_path / 'bag')
    writer.add_topic(STRING)
    for index in range(5):
        writer.write(arrival(index))
    FullDisk(0, monkeypatch)
    with pytest.raises(DiskError):
        writer.close()
    monkeypatch.undo()
    assert [number(m.data) for m in read_messages(tmp_path / 'bag')] == list(range(5))
    assert rewrite_bag(tmp_path / 'bag').kept == 5
    with rosbags_reader.AnyReader([tmp_path / 'bag']) as reader:
        assert reader.message_count == 5


def test_a_real_limit_of_the_system_is_a_disk_error(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = EpisodeWriter(tmp_path / 'bag')
    writer.add_topic(STRING)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (writer.size + 1000, before[1]))
        with pytest.raises(DiskError, match='File too large'):
            deque(fill(writer, 0), maxlen=0)
        count = writer.summary.message_count
        assert count > 5
        with pytest.raises(DiskError):
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [number(m.data) for m in read_messages(tmp_path / 'bag')] == list(range(count))
