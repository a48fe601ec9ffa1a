"""Bags get their index in a process of its own, never while an episode is recorded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from magma_ros.dataset.bag_reader import read_messages
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.nodes.bag_finisher import BagFinisher

PATIENCE_S = 60.0


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with EpisodeWriter(tmp_path / 'bag') as writer:
        writer.add_topic(RecordedTopic('/said', 'std_msgs/msg/String', 'string data', '', ''))
        for index in range(100):
            writer.write(Arrival('/said', bytes(1000), index + 1, index + 1))
    return tmp_path / 'bag'


def finish(finisher: BagFinisher) -> str:
    """Until nothing is left to do; what was complained about."""
    deadline_s = time.monotonic() + PATIENCE_S
    complaint = finisher.look(is_recording=False)
    while finisher.is_busy:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
        complaint = finisher.look(is_recording=False) or complaint
    return complaint


def test_a_bag_is_finished_once_nothing_is_recorded(bag: Path) -> None:
    file = bag / 'bag_0.mcap'
    before = file.stat().st_size
    finisher = BagFinisher('zstd')
    finisher.add(bag)
    finisher.look(is_recording=True)
    assert file.stat().st_size == before
    finisher.look(is_recording=False)
    finisher.look(is_recording=True)  # an episode begins: the bag is left as it was
    while finisher.is_rewriting:
        finisher.look(is_recording=True)
        time.sleep(0.01)
    assert file.stat().st_size == before
    assert sorted(path.name for path in bag.iterdir()) == ['bag_0.mcap', 'metadata.yaml']
    assert finish(finisher) == ''
    assert file.stat().st_size < before / 5
    assert len(list(read_messages(bag))) == 100


def test_a_bag_that_is_moved_is_left_alone(bag: Path, tmp_path: Path) -> None:
    finisher = BagFinisher('plain')
    finisher.add(bag)
    finisher.look(is_recording=False)
    finisher.leave_alone(bag)
    bag.rename(tmp_path / 'elsewhere')
    assert finish(finisher) == ''


def test_what_does_not_work_is_said(tmp_path: Path) -> None:
    finisher = BagFinisher('plain')
    finisher.add(tmp_path / 'gone')
    assert 'gone has no index yet, magma bags repair makes one' in finish(finisher)


def test_none_means_none(bag: Path) -> None:
    finisher = BagFinisher('none')
    finisher.add(bag)
    assert not finisher.is_busy
