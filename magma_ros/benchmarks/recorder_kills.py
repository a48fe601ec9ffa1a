"""The recorder killed (-9) at random moments of an episode: what its bags have lost.

``python -m magma_ros.benchmarks.recorder_kills`` has everything imported and becomes a recorder
for each line with a folder: starting Python takes longer than being killed.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rclpy
from mcap.reader import make_reader
from rclpy.context import Context
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from magma_ros.benchmarks.record import Entry
from magma_ros.benchmarks.recorder_load import send
from magma_ros.dataset.bag_reader import read_messages
from magma_ros.dataset.bag_rewrite import rewrite_bag
from magma_ros.errors import EnvironmentMissing, RecordingError
from magma_ros.nodes import recorder_node
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.recorder_client import RecorderClient
from magma_ros.ros.shared_memory import remove_orphans, segments_of
from magma_ros.ros.time_stamps import stamp_from_ns

KILLS = 100
DOMAIN = 74
JOINTS = '/bench/joint_states'
RATE_HZ = 500.0
LONGEST_S = 1.0  # from the start of the episode to the kill
HEARD_S = 30.0


@dataclass(frozen=True)
class Killed:
    """One recorder and its bag."""

    is_readable: bool  # by us at once, by the mcap package after magma bags repair
    missing: int  # messages that others follow
    tail_ms: float  # from the first message of the episode that was sent and is not there
    has_past: bool = True  # the seconds before the start, which are in memory until then


def measure(kills: int = KILLS) -> list[Entry]:
    """The worst of all."""
    chance, seen = random.Random(0), []
    with (
        tempfile.TemporaryDirectory(prefix='magma_bench_', dir=Path.cwd()) as directory,
        _recorders() as recorders,
    ):
        for number in range(kills):
            folder = Path(directory) / str(number)
            seen.append(_kill_one(recorders, folder, chance.uniform(0.0, LONGEST_S)))
    past = f'{sum(not one.has_past for one in seen)} lost the seconds before their start'
    return [
        Entry('kill-trials', len(seen), 'recorders', kills, higher_is_better=True),
        Entry('kill-unreadable', sum(not one.is_readable for one in seen), 'bags', 0),
        Entry('kill-missing', sum(one.missing for one in seen), 'messages before the tail', 0),
        Entry('kill-tail', round(max(one.tail_ms for one in seen), 1), f'ms ({past})', 100.0),
    ]


def _kill_one(recorders: subprocess.Popen, root: Path, after_s: float) -> Killed:
    recorders.stdin.write(f'{root}\n')  # type: ignore[union-attr]
    recorders.stdin.flush()  # type: ignore[union-attr]
    process = int(recorders.stdout.readline())  # type: ignore[union-attr]
    with Joints() as joints, RecorderClient(DOMAIN) as client:
        deadline_s = time.monotonic() + HEARD_S
        while not (client.state and joints.is_heard):
            client.spin(0.05)
            if time.monotonic() > deadline_s:
                raise EnvironmentMissing(f'recorder {process} does not hear {JOINTS}')
        started_ns = time.time_ns()
        done, folder = client.ask('start')
        if not done:
            raise EnvironmentMissing(f'the recorder does not start: {folder}')
        time.sleep(after_s)
        segments = segments_of(process)
        os.kill(process, signal.SIGKILL)
        killed_ns = time.time_ns()
    recorders.stdout.readline()  # type: ignore[union-attr]  # it is gone
    remove_orphans(segments)
    return judge(Path(folder), joints.sent_ns, started_ns, killed_ns)


def judge(bag: Path, sent_ns: list[int], started_ns: int, killed_ns: int) -> Killed:
    """What a bag has of the messages that were sent at these times, which are their stamps."""
    try:
        found = {_stamp_ns(m.data) for m in read_messages(bag) if m.topic == JOINTS}
        kept = rewrite_bag(bag).kept
        with (bag / f'{bag.name}_0.mcap').open('rb') as stream:
            summary = make_reader(stream, validate_crcs=True).get_summary()
        is_readable = summary is not None and summary.statistics is not None
        is_readable = is_readable and summary.statistics.message_count == kept  # type: ignore[union-attr]
    except RecordingError:
        return Killed(False, 0, 0.0)
    first_ns, last_ns = (min(found), max(found)) if found else (0, 0)
    missing = [at_ns for at_ns in sent_ns if first_ns < at_ns < last_ns and at_ns not in found]
    tail = [at_ns for at_ns in sent_ns if max(last_ns, started_ns) < at_ns < killed_ns]
    tail_ms = (killed_ns - tail[0]) * 1e-6 if tail else 0.0
    has_past = bool(found) or not any(at_ns < started_ns for at_ns in sent_ns)
    return Killed(is_readable, len(missing), tail_ms, has_past)


class Joints:
    """Publishes from a thread while the ``with`` block lasts; ``sent_ns`` are all its stamps."""

    def __init__(self) -> None:
        self.sent_ns: list[int] = []
        self._context = Context()
        rclpy.init(context=self._context, domain_id=DOMAIN)
        self._node = rclpy.create_node('bench_joints', context=self._context)
        self._publisher = self._node.create_publisher(JointState, JOINTS, QoSProfile(depth=500))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def __enter__(self) -> Joints:
        """Begins."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, and leaves the domain."""
        self._ended.set()
        self._thread.join()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    @property
    def is_heard(self) -> bool:
        """Whether somebody subscribes."""
        return self._publisher.get_subscription_count() > 0

    def _publish(self) -> None:
        message = JointState(name=['joint'], position=[0.0])
        while not self._ended.wait(1.0 / RATE_HZ):
            now_ns = time.time_ns()
            message.header.stamp = stamp_from_ns(now_ns)
            if send(self._publisher, message):
                self.sent_ns.append(now_ns)


def _stamp_ns(message: bytes) -> int:
    seconds, nanoseconds = struct.unpack_from('<iI', message, 4)
    return seconds * 1_000_000_000 + nanoseconds


@contextmanager
def _recorders() -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, '-m', 'magma_ros.benchmarks.recorder_kills'],
        env=process_environment(DOMAIN),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.wait()


def main() -> int:
    """For each folder a copy of this process that is a recorder; its id, and a line at its end."""
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            given = {
                'directory': line.strip(),
                'extra_topics': JOINTS,
                'disk_warn_gb': 0.0,
                'disk_stop_gb': 0.0,
            }
            words = [word for name, value in given.items() for word in ('-p', f'{name}:={value}')]
            sys.argv = ['recorder_node', '--ros-args', *words]
            os._exit(recorder_node.main())
        os.write(1, b'%d\n' % process)
        os.waitpid(process, 0)
        os.write(1, b'ended\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
