"""kill -9 at random moments: every message that was accepted is in the bag."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from messages import number

from magma_ros.dataset.bag_reader import read_messages, report_file
from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.dataset.mcap_scan import Ending

rosbags_reader = pytest.importorskip('rosbags.highlevel')
PROGRAM = Path(__file__).parent / 'programs' / 'write_until_killed.py'
KILLS = 20
MOST = 300  # messages before the kill


@pytest.fixture(scope='module')
def killer() -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.stdin.close()
    process.wait(timeout=30)


@pytest.mark.parametrize('seed', range(KILLS))
def test_no_accepted_message_is_lost(killer: subprocess.Popen, tmp_path: Path, seed: int) -> None:
    bag = tmp_path / 'bag'
    killer.stdin.write(f'{bag}\n')
    killer.stdin.flush()
    writer = int(killer.stderr.readline())
    accepted = -1
    deadly = random.Random(seed).randrange(MOST)
    while (line := killer.stdout.readline()) != 'killed\n':
        accepted = int(line)
        if accepted == deadly:
            os.kill(writer, signal.SIGKILL)

    assert accepted >= deadly
    found = [number(message.data) for message in read_messages(bag)]
    assert found == list(range(len(found)))
    assert len(found) >= accepted + 1, 'an accepted message is missing'
    assert report_file(bag / 'bag_0.mcap').ending is Ending.UNFINISHED

    assert rewrite_bag(bag).kept == len(found)
    with rosbags_reader.AnyReader([bag]) as reader:
        assert [number(raw) for _, _, raw in reader.messages()] == found
