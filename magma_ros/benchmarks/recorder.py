"""The recorder under load: three raw cameras and fast joint states from other processes.

Counts every message, the processor time of the recorder's process, and the speed of its writer
against a plain write of the same bytes in the same run.
"""

from __future__ import annotations

import array
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from magma_ros.benchmarks.record import Entry
from magma_ros.dataset.bag_checks import measure_topics
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.errors import EnvironmentMissing
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.nodes.node_program import RECORDER_PROGRAM
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.recorder_client import RecorderClient

SECONDS = 60.0
CAMERAS, CAMERA_HZ, JOINTS_HZ = 3, 30.0, 500.0
CAMERA = '/bench/camera{}'
JOINTS = '/bench/joint_states'
DOMAIN = 73
FRAME = 640 * 480 * 3
WRITTEN_FRAMES = 600  # of the comparison with a plain write
HEARD_S = 30.0


def measure(seconds: float = SECONDS) -> list[Entry]:
    """Losses, cores, start latency and write speed."""
    with tempfile.TemporaryDirectory(prefix='magma_bench_', dir=Path.cwd()) as directory:
        writer_mb_s, plain_mb_s = _write_speeds(Path(directory))
        counts = _record(Path(directory), seconds)
    sent, kept = counts['sent'], counts['kept']
    return [
        Entry('recorder-lost', sent - kept, f'messages of {sent}', 0),
        Entry('recorder-cores', counts['cores'], 'cores', 1.3),
        Entry('recorder-start', counts['start_ms'], 'ms', 100.0),
        Entry(
            'recorder-writer', writer_mb_s, 'MB/s', 0.5, baseline=plain_mb_s, higher_is_better=True
        ),
    ]


def _record(directory: Path, seconds: float) -> dict[str, float]:
    """Publish and record at the same time; an episode covers all that is counted."""
    topics = [*(CAMERA.format(number) for number in range(CAMERAS)), JOINTS]
    parameters = {
        'directory': str(directory / 'episodes'),
        'extra_topics': ','.join(topics),
        'chunks': 'none',
        'pre_trigger_s': 0.0,
        'disk_warn_gb': 0.0,
        'disk_stop_gb': 0.0,
    }
    with (
        NodeProcesses([RECORDER_PROGRAM], {'recorder_node': parameters}, DOMAIN) as nodes,
        RecorderClient(DOMAIN) as client,
    ):
        publishers = [_start_publisher(kind) for kind in ('cameras', 'joints')]
        try:
            _wait_until_heard(client, topics)
            before_s, before_cpu_s = time.monotonic(), _cpu_s(nodes.pids['recorder_node'])
            done, folder = client.ask('start')
            start_ms = (time.monotonic() - before_s) * 1e3
            if not done:
                raise EnvironmentMissing(f'the recorder does not start: {folder}')
            for publisher in publishers:  # from here on they count
                publisher.stdin.write(f'{seconds}\n')  # type: ignore[union-attr]
                publisher.stdin.flush()  # type: ignore[union-attr]
            sent = sum(json.loads(publisher.stdout.readline()) for publisher in publishers)  # type: ignore[union-attr]
            client.spin(1.0)
            cpu_s = _cpu_s(nodes.pids['recorder_node']) - before_cpu_s
            elapsed_s = time.monotonic() - before_s
            client.ask('stop')
        finally:
            for publisher in publishers:
                publisher.terminate()
                publisher.wait()
        figures = measure_topics(Path(folder) / f'{Path(folder).name}_0.mcap')
    kept = sum(len(figures[name].times_ns) for name in topics if name in figures)
    return {
        'sent': sent,
        'kept': kept,
        'cores': round(cpu_s / elapsed_s, 3),
        'start_ms': round(start_ms, 1),
    }


def _start_publisher(kind: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-m', 'magma_ros.benchmarks.recorder', kind],
        env=process_environment(DOMAIN),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _wait_until_heard(client: RecorderClient, topics: list[str]) -> None:
    deadline_s = time.monotonic() + HEARD_S
    while not all(f'hz {name}' in client.state for name in topics):
        if time.monotonic() > deadline_s:
            raise EnvironmentMissing(f'the recorder does not hear {topics}: {client.state}')
        client.spin(0.2)
    client.spin(2.0)  # what was sent on trial has arrived


def _cpu_s(process: int) -> float:
    """User and system time of all threads of a process."""
    fields = Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _write_speeds(directory: Path) -> tuple[float, float]:
    """MB/s of the writer and of plain writes, the bytes of pictures, synchronised at the end."""
    frame = np.random.default_rng(0).integers(0, 255, FRAME + 64, np.uint8).tobytes()
    topic = RecordedTopic('/camera', 'sensor_msgs/msg/Image', 'uint8[] data', '', '')
    size_mb = WRITTEN_FRAMES * len(frame) * 1e-6
    started_s = time.monotonic()
    with EpisodeWriter(directory / 'speed') as writer:
        writer.add_topic(topic)
        for index in range(WRITTEN_FRAMES):
            writer.write(Arrival('/camera', frame, index + 1, index + 1))
    writer_s = time.monotonic() - started_s
    (directory / 'speed' / 'speed_0.mcap').unlink()
    started_s = time.monotonic()
    with (directory / 'plain').open('wb', buffering=0) as file:
        for _ in range(WRITTEN_FRAMES):
            file.write(frame)
        os.fsync(file.fileno())
    plain_s = time.monotonic() - started_s
    (directory / 'plain').unlink()
    return round(size_mb / writer_s, 1), round(size_mb / plain_s, 1)


def _publish(kind: str) -> None:
    """Publish on trial at 2 Hz until a duration comes in, then count what is sent in it."""
    import rclpy
    from rclpy.qos import QoSProfile
    from sensor_msgs.msg import Image, JointState

    from magma_ros.ros.time_stamps import stamp_from_ns

    rclpy.init()
    node = rclpy.create_node(f'bench_{kind}')
    profile = QoSProfile(depth=10 if kind == 'cameras' else 500)
    if kind == 'cameras':
        names, message_type, rate_hz = [CAMERA.format(n) for n in range(CAMERAS)], Image, CAMERA_HZ
    else:
        names, message_type, rate_hz = [JOINTS], JointState, JOINTS_HZ
    publishers = [node.create_publisher(message_type, name, profile) for name in names]
    noise = np.random.default_rng(1).integers(0, 255, FRAME, np.uint8)
    sent = 0

    def publish_all() -> None:
        nonlocal sent
        stamp = stamp_from_ns(time.time_ns())
        for publisher in publishers:
            if kind == 'cameras':
                noise[:8] = np.frombuffer(np.int64(sent).tobytes(), np.uint8)
                message = Image(height=480, width=640, step=1920, encoding='rgb8')
                message.data = array.array('B', noise.tobytes())
            else:
                values = [float(sent)] * 8
                message = JointState(
                    name=[f'joint{n}' for n in range(8)],
                    position=values,
                    velocity=values,
                    effort=values,
                )
            message.header.stamp = stamp
            publisher.publish(message)
            sent += 1

    for _ in range(int(2 * HEARD_S)):
        publish_all()
        if _has_line(0.5):
            break
    seconds = float(sys.stdin.readline())
    sent, started_s = 0, time.monotonic()
    for tick in range(round(seconds * rate_hz)):
        time.sleep(max(0.0, started_s + tick / rate_hz - time.monotonic()))
        publish_all()
    sys.stdout.write(f'{sent}\n')
    sys.stdout.flush()
    time.sleep(5.0)  # reliable: what is under way arrives
    rclpy.shutdown()


def _has_line(timeout_s: float) -> bool:
    import select

    return bool(select.select([sys.stdin], [], [], timeout_s)[0])


if __name__ == '__main__':
    _publish(sys.argv[1])
