"""The recorder under load: three raw cameras, fast joint states and actions of other processes.

Counts every message, the processor time of the recorder's process, and the speed of its writer
against a plain write of the same bytes in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from magma_ros.benchmarks.record import Entry
from magma_ros.benchmarks.recorder_load import LOADS, topics_of
from magma_ros.dataset.bag_checks import measure_topics
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.errors import EnvironmentMissing
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.nodes.node_program import RECORDER_PROGRAM
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.recorder_client import RecorderClient

SECONDS = 60.0
DOMAIN = 73
STARTS = 5  # of the start latency, under load, each with a second of the past
PRE_TRIGGER_S = 1.0
QUIET_S = 2.5  # then nothing of the trial is in the ring any more
FRAME = 640 * 480 * 3
ROUNDS, ROUND_FRAMES = 3, 200  # of the comparison with a plain write
HEARD_S = 60.0


def measure(seconds: float = SECONDS) -> list[Entry]:
    """Losses, cores, start latency and write speed."""
    with tempfile.TemporaryDirectory(prefix='magma_bench_', dir=Path.cwd()) as directory:
        writer_mb_s, plain_mb_s = _write_speeds(Path(directory))
        counts = _record(Path(directory), seconds)
    sent, kept = counts['sent'], counts['kept']
    # More than was sent would be as wrong as less.
    lost = abs(sent - kept)
    return [
        Entry('recorder-lost', lost, f'messages of {sent:.0f} in {seconds:g} s', 0),
        Entry('recorder-cores', counts['cores'], 'cores', 1.3),
        Entry('recorder-start', counts['start_ms'], f'ms, worst of {STARTS}', 100.0),
        Entry(
            'recorder-writer', writer_mb_s, 'MB/s', 0.5, baseline=plain_mb_s, higher_is_better=True
        ),
    ]


def _record(directory: Path, seconds: float) -> dict[str, float]:
    """Publish and record at the same time; an episode covers all that is counted."""
    names = [name for load in LOADS for name in topics_of(load)]
    parameters = {
        'directory': str(directory / 'episodes'),
        'extra_topics': ','.join(name for name in names if name.startswith('/bench/')),
        'chunks': 'none',
        'pre_trigger_s': PRE_TRIGGER_S,
        'disk_warn_gb': 0.0,
        'disk_stop_gb': 0.0,
    }
    with (
        NodeProcesses([RECORDER_PROGRAM], {'recorder_node': parameters}, DOMAIN) as nodes,
        RecorderClient(DOMAIN) as client,
        _publishers() as publishers,
    ):
        recorder = nodes.pids['recorder_node']
        _wait_until_heard(client, names)
        start_ms = max(_time_start(client) for _ in range(STARTS))
        _tell(publishers, 'quiet')
        client.spin(QUIET_S)
        folder = Path(_asked(client, 'start'))
        before_s, before_cpu_s = time.monotonic(), _cpu_s(recorder)
        _tell(publishers, str(seconds))  # from here on they count
        sent = sum(_count_of(publisher) for publisher in publishers)
        client.spin(1.0)
        cpu_s, elapsed_s = _cpu_s(recorder) - before_cpu_s, time.monotonic() - before_s
        _asked(client, 'stop')
        figures = measure_topics(folder / f'{folder.name}_0.mcap')
    return {
        'sent': sent,
        'kept': sum(len(figures[name].times_ns) for name in names if name in figures),
        'cores': round(cpu_s / elapsed_s, 3),
        'start_ms': round(start_ms, 1),
    }


def _time_start(client: RecorderClient) -> float:
    """From asking to the answer, by which the episode is written (ms)."""
    client.spin(PRE_TRIGGER_S)
    asked_s = time.monotonic()
    _asked(client, 'start')
    start_ms = 1e3 * (time.monotonic() - asked_s)
    _asked(client, 'stop')
    return start_ms


def _asked(client: RecorderClient, request: str) -> str:
    done, text = client.ask(request)
    if not done:
        raise EnvironmentMissing(f'the recorder refuses to {request}: {text}')
    return text


@contextmanager
def _publishers() -> Iterator[list[subprocess.Popen]]:
    """A process for each load, which publishes at once."""
    started = [
        subprocess.Popen(
            [sys.executable, '-m', 'magma_ros.benchmarks.recorder_load', load],
            env=process_environment(DOMAIN),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for load in LOADS
    ]
    try:
        yield started
    finally:
        for publisher in started:
            publisher.terminate()
            publisher.wait()


def _tell(publishers: list[subprocess.Popen], line: str) -> None:
    for publisher in publishers:
        publisher.stdin.write(f'{line}\n')  # type: ignore[union-attr]
        publisher.stdin.flush()  # type: ignore[union-attr]


def _count_of(publisher: subprocess.Popen) -> int:
    """How many messages it has sent, once it has."""
    line = publisher.stdout.readline()  # type: ignore[union-attr]
    if not line:
        raise EnvironmentMissing(f'{publisher.args!r} has died; it said why above')
    return int(line)


def _wait_until_heard(client: RecorderClient, names: list[str]) -> None:
    deadline_s = time.monotonic() + HEARD_S
    while missing := [name for name in names if f'hz {name}' not in client.state]:
        if time.monotonic() > deadline_s:
            raise EnvironmentMissing(f'the recorder does not hear {missing}: {client.state}')
        client.spin(0.2)


def _cpu_s(process: int) -> float:
    """User and system time of all threads of a process."""
    fields = Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _write_speeds(directory: Path) -> tuple[float, float]:
    """MB/s of the writer and of plain writes in turns, medians, each until the disk has it."""
    frame = np.random.default_rng(0).integers(0, 255, FRAME + 64, np.uint8).tobytes()
    size_mb = ROUND_FRAMES * len(frame) * 1e-6
    writer, plain = [], []
    for number in range(ROUNDS):
        folder, file = directory / f'speed{number}', directory / f'plain{number}'
        started_s = time.monotonic()
        _write_bag(folder, frame)
        writer.append(size_mb / (time.monotonic() - started_s))
        (folder / f'{folder.name}_0.mcap').unlink()
        started_s = time.monotonic()
        with file.open('wb', buffering=0) as stream:
            for _ in range(ROUND_FRAMES):
                stream.write(frame)
            os.fsync(stream.fileno())
        plain.append(size_mb / (time.monotonic() - started_s))
        file.unlink()
    return round(median(writer), 1), round(median(plain), 1)


def _write_bag(folder: Path, frame: bytes) -> None:
    with EpisodeWriter(folder) as writer:
        writer.add_topic(RecordedTopic('/camera', 'sensor_msgs/msg/Image', 'uint8[] data', '', ''))
        for index in range(ROUND_FRAMES):
            writer.write(Arrival('/camera', frame, index + 1, index + 1))
