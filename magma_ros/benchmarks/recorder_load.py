"""What a robot says to a recorder: raw cameras, fast joint states, actions; a process each.

``python -m magma_ros.benchmarks.recorder_load cameras`` publishes at once. A first line on its
standard input makes it quiet; a second one is a number of seconds, after which it prints how many
messages it sent in them.
"""

from __future__ import annotations

import array
import select
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from magma_ros.ros import topics
from magma_ros.ros.chunk_messages import CHUNK_NAMES
from magma_ros.ros.time_stamps import stamp_from_ns

CAMERAS = tuple(f'/bench/camera{number}' for number in range(3))
JOINTS = '/bench/joint_states'
ACTIONS = (topics.ACTION_CHUNK.name, topics.ACTION_INFO.name)
LOADS = {'cameras': 30.0, 'joints': 500.0}  # Hz
TICKS_PER_ACTION = 50
WIDTH_PX, HEIGHT_PX = 640, 480
ARRIVES_S = 5.0  # reliable: what is under way when the counting ends


def topics_of(load: str) -> tuple[str, ...]:
    """What a load publishes."""
    return CAMERAS if load == 'cameras' else (JOINTS, *ACTIONS)


class CameraLoad:
    """All cameras in one tick; no two pictures are the same."""

    def __init__(self, node: Node) -> None:
        self._publishers = [
            node.create_publisher(Image, name, QoSProfile(depth=10)) for name in CAMERAS
        ]
        size = WIDTH_PX * HEIGHT_PX * 3
        self._noise = np.random.default_rng(1).integers(0, 255, size, np.uint8)

    def publish(self, tick: int, stamp: Any) -> int:
        """Publish; how many messages that were."""
        self._noise[:8] = np.frombuffer(np.int64(tick).tobytes(), np.uint8)
        sent = 0
        for publisher in self._publishers:
            message = Image(height=HEIGHT_PX, width=WIDTH_PX, step=3 * WIDTH_PX, encoding='rgb8')
            message.data = array.array('B', self._noise.tobytes())
            message.header.stamp = stamp
            sent += send(publisher, message)
        return sent


class JointLoad:
    """Joint states, and now and then an action chunk with its companion."""

    def __init__(self, node: Node) -> None:
        self._joints = node.create_publisher(JointState, JOINTS, QoSProfile(depth=500))
        self._chunks = topics.ACTION_CHUNK.publisher(node)
        self._infos = topics.ACTION_INFO.publisher(node)

    def publish(self, tick: int, stamp: Any) -> int:
        """Publish; how many messages that were."""
        values = [float(tick)] * 8
        names = [f'joint{number}' for number in range(8)]
        message = JointState(name=names, position=values, velocity=values, effort=values)
        message.header.stamp = stamp
        sent = send(self._joints, message)
        if tick % TICKS_PER_ACTION:
            return sent
        chunk = JointTrajectory(joint_names=CHUNK_NAMES)
        chunk.header.stamp = stamp
        chunk.points = [JointTrajectoryPoint(positions=[0.0] * len(CHUNK_NAMES))]
        info = DiagnosticStatus(name='action_info')
        return sent + send(self._chunks, chunk) + send(self._infos, info)


def send(publisher: Any, message: Any) -> bool:
    """Publish; False where the middleware of a very busy machine refuses: it was never sent."""
    try:
        publisher.publish(message)
    except RuntimeError:  # the RCLError of rclpy: its write has timed out
        return False
    return True


def main() -> int:
    """Publish on trial, be quiet, publish and count."""
    load = sys.argv[1]
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)  # SIGTERM ends it at once
    node = rclpy.create_node(f'bench_{load}')
    source = CameraLoad(node) if load == 'cameras' else JointLoad(node)
    _publish_at(LOADS[load], source.publish, _has_line)
    sys.stdin.readline()
    seconds = float(sys.stdin.readline())
    ended_s = time.monotonic() + seconds
    sent = _publish_at(LOADS[load], source.publish, lambda: time.monotonic() > ended_s)
    sys.stdout.write(f'{sent}\n')
    sys.stdout.flush()
    time.sleep(ARRIVES_S)
    rclpy.shutdown()
    return 0


def _publish_at(
    rate_hz: float, publish: Callable[[int, Any], int], is_over: Callable[[], bool]
) -> int:
    """Publish on a schedule that does not drift; how many messages that were."""
    sent, tick, started_s = 0, 0, time.monotonic()
    while not is_over():
        time.sleep(max(0.0, started_s + tick / rate_hz - time.monotonic()))
        sent += publish(tick, stamp_from_ns(time.time_ns()))
        tick += 1
    return sent


def _has_line() -> bool:
    return bool(select.select([sys.stdin], [], [], 0.0)[0])


if __name__ == '__main__':
    sys.exit(main())
