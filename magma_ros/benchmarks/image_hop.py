"""A 640x480 picture from one process to another: rclpy as it comes against our environment.

Latency is from before the message is filled to after it is read as an array.
"""

from __future__ import annotations

import array
import json
import os
import subprocess
import sys
import time

import numpy as np
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from magma_ros.benchmarks.record import Entry
from magma_ros.ros.process_environment import process_environment

FRAMES, RATE_HZ = 120, 30.0
GOAL_RATIO = 0.35
DOMAINS = {'ours': 71, 'default': 72}
TOPIC = 'bench_picture'


def measure() -> list[Entry]:
    """Latency and share delivered, in both environments in one run."""
    results = {kind: _exchange(kind) for kind in ('default', 'ours')}
    delivered = {kind: result['received'] / FRAMES for kind, result in results.items()}
    reliable = {kind: _exchange(kind, reliable=True)['p50_ms'] for kind in ('default', 'ours')}
    return [
        Entry(
            'image-hop-delivered',
            round(delivered['ours'], 3),
            'share',
            0.98,
            higher_is_better=True,
        ),
        Entry(
            'image-hop-delivered-default', round(delivered['default'], 3), 'share', 0.0, None, True
        ),
        Entry(
            'image-hop-p50-reliable',
            reliable['ours'],
            'ms',
            GOAL_RATIO,
            baseline=reliable['default'],
        ),
    ]


def _exchange(kind: str, reliable: bool = False) -> dict[str, float]:
    environment = dict(os.environ)
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    environment['ROS_DOMAIN_ID'] = str(DOMAINS[kind])
    if kind == 'ours':
        environment = process_environment(DOMAINS[kind])
    quality = 'reliable' if reliable else 'best_effort'
    command = [sys.executable, '-m', 'magma_ros.benchmarks.image_hop']
    reader = subprocess.Popen(
        [*command, 'read', quality], env=environment, stdout=subprocess.PIPE, text=True
    )
    writer = subprocess.Popen([*command, 'write', quality], env=environment)
    output, _ = reader.communicate(timeout=60)
    writer.wait(timeout=60)
    return json.loads(output)


def _profile(quality: str) -> QoSProfile:
    reliability = (
        ReliabilityPolicy.RELIABLE if quality == 'reliable' else ReliabilityPolicy.BEST_EFFORT
    )
    return QoSProfile(depth=5, reliability=reliability, history=HistoryPolicy.KEEP_LAST)


def _write(quality: str) -> None:
    import rclpy
    from sensor_msgs.msg import Image

    rclpy.init()
    node = rclpy.create_node('bench_writer')
    publisher = node.create_publisher(Image, TOPIC, _profile(quality))
    deadline_s = time.monotonic() + 20
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline_s:
        time.sleep(0.05)
    time.sleep(0.5)
    picture = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    for _ in range(FRAMES):
        started_ns = time.monotonic_ns()
        message = Image(height=480, width=640, step=1920, encoding='rgb8')
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(started_ns, 1_000_000_000)
        data = array.array('B')
        data.frombytes(picture.data)
        message.data = data
        publisher.publish(message)
        time.sleep(max(0.0, 1 / RATE_HZ - (time.monotonic_ns() - started_ns) * 1e-9))
    time.sleep(1.0)
    rclpy.shutdown()


def _read(quality: str) -> None:
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from sensor_msgs.msg import Image

    latencies_ms: list[float] = []

    def read(message: Image) -> None:
        np.frombuffer(message.data, np.uint8).reshape(480, 640, 3)
        stamp = message.header.stamp
        sent_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
        latencies_ms.append((time.monotonic_ns() - sent_ns) * 1e-6)

    rclpy.init()
    node = rclpy.create_node('bench_reader')
    node.create_subscription(Image, TOPIC, read, _profile(quality))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    last_s = time.monotonic() + 20
    seen = False
    while time.monotonic() < last_s:
        executor.spin_once(0.05)
        publishers = node.count_publishers(TOPIC)
        seen = seen or publishers > 0
        if seen and publishers == 0:
            break
    p50 = float(np.median(latencies_ms)) if latencies_ms else float('inf')
    sys.stdout.write(json.dumps({'received': len(latencies_ms), 'p50_ms': round(p50, 3)}))
    rclpy.shutdown()


if __name__ == '__main__':
    {'write': _write, 'read': _read}[sys.argv[1]](sys.argv[2])
