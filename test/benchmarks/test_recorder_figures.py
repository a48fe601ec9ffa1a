"""What ``magma bench record`` makes of its measurements, without measuring."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from rclpy.serialization import serialize_message  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

from magma_ros.benchmarks import (  # noqa: E402
    recorder,
    recorder_kills,
    recording,
    session_statistics,
    takeover,
)
from magma_ros.benchmarks.record import Entry  # noqa: E402
from magma_ros.benchmarks.recorder_kills import JOINTS, Killed, judge  # noqa: E402
from magma_ros.dataset.episode_writer import EpisodeWriter  # noqa: E402
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic  # noqa: E402
from magma_ros.ros.time_stamps import stamp_from_ns  # noqa: E402

START_NS = 1_700_000_000_000_000_000
SENT_NS = [START_NS + index * 2_000_000 for index in range(100)]
TOPIC = RecordedTopic(JOINTS, 'sensor_msgs/msg/JointState', 'x', '', '')


def write_bag(folder: Path, stamps_ns: list[int]) -> Path:
    """A bag that nobody ended."""
    writer = EpisodeWriter(folder)
    writer.add_topic(TOPIC)
    for at_ns in stamps_ns:
        message = JointState()
        message.header.stamp = stamp_from_ns(at_ns)
        writer.write(Arrival(JOINTS, serialize_message(message), at_ns, at_ns))
    return folder


def test_a_bag_with_everything_has_no_tail(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', SENT_NS[10:60])
    assert judge(bag, SENT_NS, SENT_NS[20], SENT_NS[59] + 1) == Killed(True, 0, 0.0)


def test_what_is_not_there_is_found(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [*SENT_NS[10:20], *SENT_NS[23:40]])
    killed = judge(bag, SENT_NS, SENT_NS[20], SENT_NS[40] + 50_000_000)
    assert (killed.is_readable, killed.missing, killed.tail_ms) == (True, 3, 50.0)


def test_what_cannot_be_read_is_unreadable(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', SENT_NS)
    (bag / 'bag_0.mcap').write_bytes(b'no bag at all')
    assert not judge(bag, SENT_NS, SENT_NS[0], SENT_NS[-1]).is_readable


def test_a_recorder_killed_at_its_start_has_lost_the_past_and_no_more(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [])
    killed = judge(bag, SENT_NS, SENT_NS[97] - 1, SENT_NS[99] - 1)
    assert killed == Killed(True, 0, pytest.approx(4.0, abs=0.01), has_past=False)


def test_the_benchmark_has_the_goals_of_the_specification(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    counts = {'sent': 36_600, 'kept': 36_600, 'cores': 1.2, 'start_ms': 90.0}
    monkeypatch.setattr(recorder, '_record', lambda *_: counts)
    monkeypatch.setattr(recorder, '_write_speeds', lambda _: (600.0, 1000.0))
    monkeypatch.setattr(recorder_kills, '_recorders', nullcontext)
    killed = [Killed(True, 0, 20.0), Killed(True, 0, 80.0)]
    monkeypatch.setattr(recorder_kills, '_kill_one', lambda *_: killed.pop())
    monkeypatch.setattr(takeover, 'MOMENTS', 3)
    monkeypatch.setattr(session_statistics, 'measure', lambda: [Entry('session', 0.0, '', 0.0)])
    entries: dict[str, Entry] = {entry.name: entry for entry in recording.measure(60.0, 2)}
    assert [(name, entries[name].goal) for name in ('recorder-lost', 'recorder-cores')] == [
        ('recorder-lost', 0),
        ('recorder-cores', 1.3),
    ]
    assert (entries['recorder-start'].goal, entries['kill-tail'].goal) == (100.0, 100.0)
    assert (entries['recorder-writer'].ratio, entries['recorder-writer'].goal) == (0.6, 0.5)
    assert entries['kill-tail'].value == 80.0
    assert 'session' in entries
    assert entries['takeover-position-step'].goal == 1.0
    assert all(entry.is_passed for entry in entries.values())

    counts['kept'] += 5  # as wrong as too few
    killed.extend([Killed(False, 2, 0.0), Killed(True, 0, 120.0)])
    entries = {entry.name: entry for entry in recording.measure(60.0, 2)}
    wrong = {name for name, entry in entries.items() if not entry.is_passed}
    assert wrong >= {'recorder-lost', 'kill-unreadable', 'kill-missing', 'kill-tail'}
