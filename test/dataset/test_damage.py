"""Cut, flipped and made-up files: a named error with file and byte, never a wrong message."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Header, Schema
from messages import number

from magma_ros.dataset.bag_metadata import METADATA, to_yaml
from magma_ros.dataset.bag_reader import bag_files, read_messages, report_file
from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.dataset.mcap_records import MAGIC, RECORD_HEAD, encode
from magma_ros.dataset.mcap_scan import Ending
from magma_ros.errors import RecordingError

QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
COUNT = 40


@pytest.fixture
def files(write_bag: Callable[..., Path], tmp_path: Path) -> dict[str, bytes]:
    """The same episode as it was recorded, and in two kinds of chunks."""
    found = {'recorded': (write_bag('recorded', COUNT, 40) / 'recorded_0.mcap').read_bytes()}
    for chunks in ('lz4', 'zstd'):
        rewrite_bag(write_bag(chunks, COUNT, 40), chunks)  # type: ignore[arg-type]
        found[chunks] = (tmp_path / chunks / f'{chunks}_0.mcap').read_bytes()
    return found


@QUICK
@given(data=st.data())
def test_a_cut_file_gives_what_precedes_the_cut(
    files: dict[str, bytes], tmp_path: Path, data: st.DataObject
) -> None:
    content = files[data.draw(st.sampled_from(sorted(files)))]
    cut = data.draw(st.integers(8, len(content) - 1))
    path = tmp_path / 'cut.mcap'
    path.write_bytes(content[:cut])

    numbers = [number(message.data) for message in read_messages(path)]
    assert numbers == list(range(len(numbers)))
    report = report_file(path)
    assert report.ending is Ending.UNFINISHED
    assert report.summary.message_count == len(numbers)


@QUICK
@given(data=st.data())
def test_a_flipped_bit_in_chunks_is_never_a_wrong_message(
    files: dict[str, bytes], tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(files[data.draw(st.sampled_from(['lz4', 'zstd']))])
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    path = tmp_path / 'flipped.mcap'
    path.write_bytes(content)

    numbers, complaint = _read(path)
    if not complaint:
        assert numbers == list(range(COUNT))  # it was in what nobody reads, such as the index
        return
    assert f'{path}, byte ' in complaint
    kept, _ = _read(path, despite_damage=True)
    assert kept == [n for n in range(COUNT) if n in kept]


def _read(path: Path, despite_damage: bool = False) -> tuple[list[int], str]:
    """The numbers of all messages until a complaint."""
    numbers: list[int] = []
    try:
        for message in read_messages(path, despite_damage):
            numbers.append(number(message.data))
    except RecordingError as error:
        return numbers, str(error)
    return numbers, ''


@QUICK
@given(garbage=st.binary(max_size=400))
def test_garbage_is_refused_or_empty(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / 'garbage.mcap'
    path.write_bytes(MAGIC + garbage)
    numbers, complaint = _read(path)
    assert numbers == []
    assert not complaint or f'{path}, byte ' in complaint


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'picture.mcap'
    path.write_bytes(b'\x89PNG\r\n\x1a\n')
    with pytest.raises(RecordingError, match=r'picture\.mcap, byte 0: no MCAP file'):
        report_file(path)


def _chunk(records: bytes, said: int, compression: str) -> bytes:
    return encode(
        Chunk(
            compression=compression,
            data=records,
            message_end_time=0,
            message_start_time=0,
            uncompressed_crc=0,
            uncompressed_size=said,
        )
    )


def test_a_chunk_that_grows_is_not_decompressed(tmp_path: Path) -> None:
    import zstandard

    bomb = zstandard.compress(bytes(64 * 1024**2))
    path = tmp_path / 'bomb.mcap'
    for said, message in (
        (1000, 'a chunk of 1001 bytes that should have 1000'),
        (2**40, 'at most 536870912 are decompressed'),
    ):
        path.write_bytes(MAGIC + encode(Header('ros2', '')) + _chunk(bomb, said, 'zstd'))
        with pytest.raises(RecordingError, match=message):
            list(read_messages(path))


@pytest.mark.parametrize(
    ('record', 'message'),
    [
        (RECORD_HEAD.pack(0x7F, 3) + b'abc', 'no record of kind 127'),
        (RECORD_HEAD.pack(Opcode.MESSAGE, 3) + b'abc', 'a message of 3 bytes'),
        (RECORD_HEAD.pack(Opcode.SCHEMA, 4) + struct.pack('<HH', 1, 9), 'byte '),
        (_chunk(b'', 0, 'rar'), "compressed by 'rar'"),
        (_chunk(b'\x05abc', 4, ''), 'ends within a record'),
    ],
)
def test_impossible_records_are_named(tmp_path: Path, record: bytes, message: str) -> None:
    path = tmp_path / 'made_up.mcap'
    path.write_bytes(MAGIC + encode(Header('ros2', '')) + record)
    with pytest.raises(RecordingError, match=message):
        list(read_messages(path))


def test_a_million_topics_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'many.mcap'
    schema = encode(Schema(1, b'string data', 'ros2msg', 'std_msgs/msg/String'))
    channels = (encode(Channel(n, f'/t{n}', 'cdr', {}, 1)) for n in range(1, 5000))
    path.write_bytes(MAGIC + encode(Header('ros2', '')) + schema + b''.join(channels))
    with pytest.raises(RecordingError, match='more than 4096 topics'):
        report_file(path)


@pytest.mark.parametrize(
    'name', ['../other/other_0.mcap', '/etc/passwd', 'sub/x.mcap', '..', 'x.db3', 7, 'a\0.mcap']
)
def test_files_outside_of_the_bag_are_refused(
    write_bag: Callable[..., Path], name: object
) -> None:
    bag = write_bag()
    information = {'relative_file_paths': [name]}
    (bag / METADATA).write_text(to_yaml({'rosbag2_bagfile_information': information}))
    with pytest.raises(RecordingError, match='Do not trust this bag'):
        bag_files(bag)


def test_links_are_not_followed(write_bag: Callable[..., Path], tmp_path: Path) -> None:
    bag = write_bag()
    (bag / 'episode_0.mcap').rename(tmp_path / 'elsewhere.mcap')
    (bag / 'episode_0.mcap').symlink_to(tmp_path / 'elsewhere.mcap')
    with pytest.raises(RecordingError, match='is a link'):
        list(read_messages(bag))
    (tmp_path / 'link').symlink_to(bag)
    with pytest.raises(RecordingError, match='is a link'):
        bag_files(tmp_path / 'link')


@pytest.mark.parametrize(
    'text', ['x' * 2_000_000, '[' * 100_000, '!!python/object:os.system {}', 'a: [', '7', '']
)
def test_hostile_metadata_is_refused(write_bag: Callable[..., Path], text: str) -> None:
    bag = write_bag()
    (bag / METADATA).write_text(text)
    with pytest.raises(RecordingError, match='metadata.yaml'):
        bag_files(bag)
    assert rewrite_bag(bag).kept == 50  # repair does not need it
    assert len(list(read_messages(bag))) == 50


def test_a_damaged_chunk_costs_only_itself(write_bag: Callable[..., Path], tmp_path: Path) -> None:
    bag = write_bag(count=300, size=20_000)
    rewrite_bag(bag)
    path = bag / 'episode_0.mcap'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    shutil.copytree(bag, tmp_path / 'copy')

    with pytest.raises(RecordingError, match='checksum is wrong. magma bags repair keeps'):
        list(read_messages(bag))
    result = rewrite_bag(bag, 'zstd')
    assert 200 < result.kept < 300
    assert 'checksum is wrong' in result.damages[0]
    numbers = [number(m.data) for m in read_messages(bag)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == result.kept
