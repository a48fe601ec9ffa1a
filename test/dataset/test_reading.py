"""Bags of every origin, and those that are not what they seem."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from robot_bag import (
    INSTRUCTION,
    MARKERS,
    TYPES,
    robot_arrivals,
    store,
    string_message,
    write_robot_bag,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from magma_ros.dataset.features.mapping import load_mapping
from magma_ros.dataset.features.sampling import Sample, SamplingRules, sample_stream
from magma_ros.dataset.reading.bag_folder import open_folder
from magma_ros.dataset.reading.message_stream import MessageStream
from magma_ros.dataset.reading.ros_decoding import decode
from magma_ros.dataset.reading.segments import SegmentRules, find_segments
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.errors import RecordingError

ARRIVALS = robot_arrivals(0.5, (32, 24))
MUTATIONS = int(os.environ.get('MAGMA_MUTATED_FILES', '200'))  # ten thousand in the nightly run


@pytest.fixture(scope='module')
def own_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_robot_bag(tmp_path_factory.mktemp('own') / 'episode', ARRIVALS)


def write_foreign(
    folder: Path, plugin: StoragePlugin, mode: CompressionMode = CompressionMode.NONE
) -> Path:
    writer = Writer(folder, version=8, storage_plugin=plugin)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {
            topic: writer.add_connection(topic, kind, typestore=store())
            for topic, kind in TYPES.items()
        }
        for arrival in ARRIVALS:
            writer.write(connections[arrival.topic], arrival.received_ns, arrival.data)
    return folder


def content(messages: list[StreamMessage]) -> list[tuple[int, str, bytes]]:
    return sorted((one.log_ns, one.topic, one.data) for one in messages)


EXPECTED = sorted((one.received_ns, one.topic, one.data) for one in ARRIVALS)


@pytest.mark.parametrize(
    ('plugin', 'mode'),
    [
        (StoragePlugin.MCAP, CompressionMode.NONE),
        (StoragePlugin.MCAP, CompressionMode.STORAGE),
        (StoragePlugin.SQLITE3, CompressionMode.NONE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
    ],
)
def test_every_kind_of_bag_gives_the_same_messages(
    tmp_path: Path, plugin: StoragePlugin, mode: CompressionMode
) -> None:
    bag = open_folder(write_foreign(tmp_path / 'bag', plugin, mode))

    messages = list(MessageStream(bag))

    assert content(messages) == EXPECTED
    assert all(one.log_ns <= two.log_ns for one, two in pairwise(messages))


def test_own_bags_are_read_and_topics_chosen(own_bag: Path) -> None:
    assert content(list(MessageStream(open_folder(own_bag)))) == EXPECTED

    some = list(MessageStream(open_folder(own_bag), {INSTRUCTION}))

    assert [one.topic for one in some] == [INSTRUCTION]
    assert decode(some[0]).data == 'put the cube in the bowl'


def test_a_bag_of_several_files_is_one_stream(tmp_path: Path) -> None:
    folder = tmp_path / 'bag'
    folder.mkdir()
    half = len(ARRIVALS) // 2
    for number, part in enumerate((ARRIVALS[:half], ARRIVALS[half:])):
        written = write_robot_bag(tmp_path / f'part{number}', part)
        (written / f'part{number}_0.mcap').rename(folder / f'bag_{9 + number}.mcap')

    assert content(list(MessageStream(open_folder(folder)))) == EXPECTED


def test_a_killed_recorder_costs_only_its_last_message(own_bag: Path, tmp_path: Path) -> None:
    data = (own_bag / 'episode_0.mcap').read_bytes()
    (tmp_path / 'cut.mcap').write_bytes(data[: len(data) // 2])
    stream = MessageStream(open_folder(tmp_path / 'cut.mcap'))

    read = list(stream)

    assert 0 < len(read) < len(ARRIVALS)
    assert 'its recorder was killed' in stream.notes[0]


def test_damage_is_named_with_file_and_byte(own_bag: Path, tmp_path: Path) -> None:
    data = bytearray((own_bag / 'episode_0.mcap').read_bytes())
    at = len(data) // 2
    data[at : at + 4000] = b'\xff' * 4000
    damaged = tmp_path / 'damaged.mcap'
    damaged.write_bytes(data)

    with pytest.raises(RecordingError, match=r'damaged\.mcap, byte \d+: '):
        list(MessageStream(open_folder(damaged)))

    stream = MessageStream(open_folder(damaged), despite_damage=True)
    assert list(stream)
    assert stream.notes


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        (b'', 'byte 0: the file is empty'),
        (b'#ROSBAG V2.0\n', 'ROS 1'),
        (b'GIF89a', 'neither an MCAP nor a sqlite3 bag'),
        (b'SQLite format 3\0' + b'\0' * 100, 'after row 0'),
        (b'\x28\xb5\x2f\xfd', 'not named'),
    ],
)
def test_what_is_no_bag_is_said(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / 'what.mcap'
    file.write_bytes(content)

    with pytest.raises(RecordingError, match=complaint):
        list(MessageStream(open_folder(file)))


def test_a_cut_zstd_file_is_said(tmp_path: Path) -> None:
    folder = write_foreign(tmp_path / 'bag', StoragePlugin.SQLITE3, CompressionMode.FILE)
    file = next(folder.glob('*.zstd'))
    file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(RecordingError, match=r'zstd, byte \d+: cut off'):
        list(MessageStream(open_folder(folder)))


def link_file(folder: Path) -> None:
    (folder / 'bag_0.mcap').symlink_to('/etc/hostname')


def name_other_folder(folder: Path) -> None:
    text = 'rosbag2_bagfile_information:\n  relative_file_paths: [../../secret.mcap]\n'
    (folder / 'metadata.yaml').write_text(text)


def mix_kinds(folder: Path) -> None:
    (folder / 'bag_0.mcap').write_bytes(b'\x89MCAP0\r\n')
    sqlite3.connect(folder / 'bag_1.db3').execute('CREATE TABLE topics (id INTEGER)')


def make_view(folder: Path) -> None:
    with sqlite3.connect(folder / 'bag_0.db3') as connection:
        connection.execute('CREATE TABLE topics (id INTEGER, name TEXT)')
        connection.execute('CREATE VIEW messages AS SELECT 1 AS id')


@pytest.mark.parametrize(
    ('trick', 'complaint'),
    [
        (link_file, 'a link'),
        (name_other_folder, 'Do not trust'),
        (mix_kinds, 'mixes'),
        (make_view, 'no bag'),
    ],
)
def test_hostile_folders_are_refused(
    tmp_path: Path, trick: Callable[[Path], None], complaint: str
) -> None:
    trick(tmp_path)

    with pytest.raises(RecordingError, match=complaint):
        list(MessageStream(open_folder(tmp_path)))


def test_a_clock_that_was_set_back_is_said(tmp_path: Path) -> None:
    folder = tmp_path / 'bag'
    folder.mkdir()
    for number, start_ns in enumerate((2 * 10**18, 10**18)):
        arrivals = robot_arrivals(0.1, (32, 24), start_ns)
        written = write_robot_bag(tmp_path / f'part{number}', arrivals)
        (written / f'part{number}_0.mcap').rename(folder / f'bag_{number}.mcap')

    with pytest.raises(RecordingError, match=r'bag_1.mcap, byte \d+: .* goes back 10000000'):
        list(MessageStream(open_folder(folder)))


def test_mutated_bags_end_in_samples_or_a_named_error(own_bag: Path, tmp_path: Path) -> None:
    data, mapping = (own_bag / 'episode_0.mcap').read_bytes(), load_mapping('wx250s')
    profile, rules, rng = mapping.profile(), SamplingRules(), random.Random(7)
    file = tmp_path / 'mutated.mcap'
    outcomes = {'samples': 0, 'errors': 0, 'none': 0}
    for _ in range(MUTATIONS):
        mutated = bytearray(data[: rng.choice([len(data), rng.randrange(len(data))])])
        for _ in range(rng.choice([1, 1, 4, 16])):
            if mutated:
                mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        file.write_bytes(mutated)
        try:
            stream = MessageStream(open_folder(file), mapping.topics)
            items = list(sample_stream(stream, mapping, profile, rules))
        except RecordingError as error:
            outcomes['errors'] += 'mutated.mcap' in str(error)
        else:
            outcomes['none'] += not any(isinstance(item, Sample) for item in items)
            outcomes['samples'] += any(isinstance(item, Sample) for item in items)

    assert sum(outcomes.values()) == MUTATIONS  # every error names its file
    assert min(outcomes['samples'], outcomes['errors']) > MUTATIONS // 20, outcomes


def test_pauses_and_markers_divide_a_bag(tmp_path: Path) -> None:
    second = 10**9
    first = robot_arrivals(0.3, (32, 24), 10**18)
    later = robot_arrivals(0.3, (32, 24), 10**18 + 5 * second)
    said = [
        Arrival(MARKERS, string_message(text), at_ns, at_ns)
        for text, at_ns in (('start a', 10**18 + 1), ('stop a', 10**18 + 2 * second))
    ]
    arrivals = sorted([*first, *later, *said], key=lambda one: one.received_ns)
    bag = open_folder(write_robot_bag(tmp_path / 'bag', arrivals))
    topics = load_mapping('wx250s').topics

    pauses = find_segments(bag, SegmentRules('pause'), topics)
    marked = find_segments(bag, SegmentRules('marker', topic=MARKERS), topics)

    assert len(pauses) == 2
    assert pauses[1].start_ns == later[0].received_ns
    assert [(one.start_ns, one.end_ns) for one in marked] == [(10**18 + 1, 10**18 + 2 * second)]
    cut = [one for one in pauses[1].cut(MessageStream(bag))]
    assert cut[0].topic in (INSTRUCTION, MARKERS)
    assert {one.log_ns >= later[0].received_ns for one in cut[2:]} == {True}


def test_definitions_of_a_bag_are_never_used(own_bag: Path) -> None:
    message = next(iter(MessageStream(open_folder(own_bag))))
    strange = StreamMessage('/x', 'evil_msgs/msg/Code', 1, b'', message.file, 9)

    with pytest.raises(RecordingError, match='byte 9: /x has the type .*not known'):
        decode(strange)
