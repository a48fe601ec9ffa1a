"""What the rows of the recorder complain of, on bags made for it; no rig."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip('rclpy')

from magma_ros.dataset.bag_reader import bag_files, read_messages, report_file  # noqa: E402
from magma_ros.dataset.episode_record import EpisodeRecord, write_record  # noqa: E402
from magma_ros.dataset.episode_writer import EpisodeWriter  # noqa: E402
from magma_ros.dataset.mcap_scan import Ending  # noqa: E402
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic  # noqa: E402
from magma_ros.errors import RecordingError  # noqa: E402
from magma_ros.faults import faulty_recordings as faulty  # noqa: E402
from magma_ros.faults import recorder_rows  # noqa: E402
from magma_ros.faults.recorder_rows import TAIL_S  # noqa: E402
from magma_ros.ros import topics  # noqa: E402

START_NS, STEP_NS, COUNT = 1_700_000_000_000_000_000, 10_000_000, 100
LAST_NS = START_NS + (COUNT - 1) * STEP_NS
JOINTS = RecordedTopic(topics.JOINT_STATES.name, 'sensor_msgs/msg/JointState', 'x', '', '')


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    """A second of joint states, recorded by somebody who did not end the bag."""
    writer = EpisodeWriter(tmp_path / 'bag')
    writer.add_topic(JOINTS)
    for index in range(COUNT):
        at_ns = START_NS + index * STEP_NS
        writer.write(Arrival(JOINTS.name, b'', at_ns, at_ns))
    write_record(tmp_path / 'bag', EpisodeRecord('id', START_NS), is_final=False)
    notes = {'bag': tmp_path / 'bag', 'fault_ns': LAST_NS + STEP_NS, 'recorder': 'recorder0'}
    processes = {'recorder0': SimpleNamespace(exit_code=None)}
    return SimpleNamespace(notes=notes, patience=1.0, processes=processes, writer=writer)


def test_a_bag_that_was_cut_off_is_as_it_should_be(rig: Any) -> None:
    assert recorder_rows._has_kept(TAIL_S)(rig, None) == []  # type: ignore[arg-type]


def test_a_tail_that_is_missing_is_found(rig: Any) -> None:
    rig.notes['fault_ns'] = LAST_NS + 150_000_000
    complaints = recorder_rows._has_kept(TAIL_S)(rig, None)  # type: ignore[arg-type]
    assert complaints == ['the last 150 ms are missing']


def test_a_bag_that_looks_whole_is_found(rig: Any) -> None:
    rig.writer.close()
    write_record(rig.notes['bag'], EpisodeRecord('id', START_NS, LAST_NS))
    assert recorder_rows._has_kept(TAIL_S)(rig, None) == ['not marked']  # type: ignore[arg-type]


def test_an_episode_must_say_that_the_disk_ended_it(rig: Any) -> None:
    write_record(rig.notes['bag'], EpisodeRecord('id', START_NS, LAST_NS, 'operator'))
    rig.processes['recorder0'].exit_code = -9
    assert recorder_rows._ended_by_disk(rig, None) == [  # type: ignore[arg-type]
        'ended by operator, not DISK',
        'the recorder has ended with code -9',
    ]


@pytest.mark.parametrize(
    'spoil',
    [
        faulty.flip_bit,
        faulty.lengthen_record,
        faulty.replace_content,
        faulty.name_other_files,
        faulty.nest_metadata,
        faulty.link_elsewhere,
        faulty.add_topics,
    ],
)
def test_spoiled_bags_are_refused(spoil: faulty.Spoil, tmp_path: Path) -> None:
    bag = faulty.write_bag(tmp_path / 'episode')
    assert len(list(read_messages(bag))) == 999
    spoil(bag)
    with pytest.raises(RecordingError):
        list(read_messages(bag))


def test_a_truncated_bag_is_known_as_such(tmp_path: Path) -> None:
    bag = faulty.write_bag(tmp_path / 'episode')
    faulty.truncate(bag)
    (file,) = bag_files(bag)
    assert report_file(file).ending is Ending.UNFINISHED
