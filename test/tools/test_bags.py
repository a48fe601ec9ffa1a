"""``magma bags`` as a person types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from magma_ros.dataset.bag_reader import read_messages
from magma_ros.dataset.episode_record import EpisodeRecord, read_record, write_record
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.tools.magma import main

CUT = 12_000  # bytes of the file; the pause comes later
START_NS = 1_700_000_000_000_000_000
QOS = '- history: 1\n  depth: 1\n  reliability: 1\n  durability: {}\n'
JOINTS = RecordedTopic('/joint_states', 'sensor_msgs/msg/JointState', 'x', '', QOS.format(2))
TABLE = RecordedTopic('/table', 'std_msgs/msg/String', 'string data', '', QOS.format(1), True)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Ten seconds at 100 Hz, with a pause of half a second in the middle."""
    folder = tmp_path / 'episodes' / 'pick'
    with EpisodeWriter(folder) as writer:
        for topic in (JOINTS, TABLE):
            writer.add_topic(topic)
        writer.write(Arrival('/table', b'cubes', START_NS, START_NS))
        for index in range(1000):
            if not 500 <= index < 550:
                at_ns = START_NS + index * 10_000_000
                writer.write(Arrival('/joint_states', b'%d' % index, at_ns, at_ns))
    notes = ((START_NS, 'slipped \x1b[2J[red]'),)
    by_hand = {
        'start_ns': START_NS + 2_000_000_000,
        'end_ns': START_NS + 3_500_000_000,
        'taken_from': 'policy',
        'corrects_policy': True,
    }
    record = EpisodeRecord('id', START_NS, START_NS + 1, 'operator', True, notes=notes)
    write_record(folder, replace(record, interventions=(by_hand,)))
    return folder


def run(*words: object, capsys: pytest.CaptureFixture) -> tuple[int, str]:
    capsys.readouterr()
    code = main(['bags', *map(str, words)])
    return code, ' '.join(''.join(capsys.readouterr()).split())


def test_list_has_a_line_for_each(bag: Path, capsys: pytest.CaptureFixture) -> None:
    (bag.parent / 'broken').mkdir()
    (bag.parent / 'broken' / 'broken_0.mcap').write_bytes(b'')
    code, text = run('list', bag.parent, capsys=capsys)
    assert code == 0
    assert 'pick │ whole │ 10.0 │ 951 │' in text
    assert '│ yes │ slipped' in text
    assert '[red]' in text  # as it was written, in no colour
    assert '\x1b' not in text
    assert 'broken │ unfinished' in text


def test_info_has_rates_and_the_outcome(bag: Path, capsys: pytest.CaptureFixture) -> None:
    code, text = run('info', bag, capsys=capsys)
    assert code == 0
    assert '/joint_states │ sensor_msgs/msg/JointState │ 950 │ 94.99' in text
    assert 'success: True; ended by: operator' in text
    assert 'by hand, 2.0 to 3.5 s: taken from policy, a correction' in text
    code, text = run('info', bag, '--json', capsys=capsys)
    assert json.loads(text)['files'][0]['topics']['/table']['count'] == 1


def test_check_finds_the_gap(bag: Path, capsys: pytest.CaptureFixture) -> None:
    code, text = run('check', bag, capsys=capsys)
    assert code == 1
    assert '/joint_states has 1 gaps, the longest of 0.51 s at 95.0 Hz' in text


def test_check_notices_flipped_bits_that_reading_does_not(
    bag: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run('repair', bag, capsys=capsys)[0] == 0
    file = bag / 'pick_0.mcap'
    content = bytearray(file.read_bytes())
    content[content.index(b'message_count')] ^= 1  # in the metadata record, which has no checksum
    file.write_bytes(content)
    code, text = run('check', bag, capsys=capsys)
    assert code == 1
    assert 'the checksum over all data is wrong' in text


def test_repair_ends_what_was_cut_off(bag: Path, capsys: pytest.CaptureFixture) -> None:
    file = bag / 'pick_0.mcap'
    file.write_bytes(file.read_bytes()[:CUT])
    (bag / 'metadata.yaml').unlink()
    write_record(bag, EpisodeRecord('id', START_NS))
    code, text = run('check', bag, capsys=capsys)
    assert code == 1
    assert 'unfinished' in text
    assert 'metadata.yaml is missing' in text
    code, text = run('repair', bag, '--chunks', 'zstd', '--keep-old', capsys=capsys)
    assert code == 0
    assert 'messages kept' in text
    assert read_record(bag).ended_by == 'repair'  # type: ignore[union-attr]
    assert (bag / 'pick_0.mcap.old').stat().st_size == CUT
    assert b'zstd' in file.read_bytes()
    numbers = [int(m.data) for m in read_messages(bag) if m.topic == '/joint_states']
    assert len(numbers) > 200
    assert numbers == list(range(len(numbers)))


def test_cut_copies_a_range_and_what_was_in_force(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    target = tmp_path / 'part'
    code, text = run('cut', bag, target, '--start', 2, '--end', 3, capsys=capsys)
    assert (code, text) == (0, f'{target}: 101 messages')
    first, *rest = read_messages(target)
    assert (first.topic, first.data, first.log_ns) == ('/table', b'cubes', START_NS + 2 * 10**9)
    assert [int(message.data) for message in rest] == list(range(200, 300))
    code, text = run('cut', bag, target, capsys=capsys)
    assert code == 2
    assert 'File exists' in text


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        (['info', 'nowhere'], 'nowhere is not there; magma bags list'),
        (['list', 'nowhere'], 'nowhere is no folder'),
        (['cut', 'nowhere', 'new', '--start', '3', '--end', '3'], 'the end comes after the start'),
        (['play', 'nowhere', '--rate', '0'], 'a number from 0.01 to 100'),
    ],
)
def test_what_cannot_be_done_is_said(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture
) -> None:
    code, text = run(*words, capsys=capsys)
    assert code == 2
    assert complaint in text
