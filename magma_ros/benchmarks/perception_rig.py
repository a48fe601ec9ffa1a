"""A camera, an arm that stands still and a listener around the perception node, in one process.

``python -m magma_ros.benchmarks.perception_rig MINUTES`` prints what it saw as JSON. The model is
a scripted one, so that everything that takes time is ours.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import CameraImage, CameraModel, Pose
from magma_ros.errors import EnvironmentMissing
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import joint_state_message
from magma_ros.ros.camera_messages import camera_to_message, image_to_message
from magma_ros.ros.node_process import make_executor
from magma_ros.ros.status_messages import status_values
from magma_ros.ros.time_stamps import stamp_from_ns, stamp_to_ns

WIDTH_PX, HEIGHT_PX, RATE_HZ = 640, 480, 30.0
FRAME = 'camera_color_optical_frame'
MODEL = CameraModel(
    WIDTH_PX, HEIGHT_PX, 600.0, 600.0, 320.0, 240.0, Pose(np.zeros(3), np.eye(4)[3])
)
READY_S, SETTLE_S = 60.0, 3.0
UNPLUGGED_S, LOST_S = 2.0, 30.0
KEPT = 4  # pictures that are made once and sent in turn


@dataclass
class Seen:
    """What one run gave; infinite where something never happened."""

    latencies_ms: list[float] = field(default_factory=list)
    repeated: int = 0  # chunks of a picture that is not newer than the one before
    memory_mb: list[tuple[float, float]] = field(default_factory=list)  # (s, node and worker)
    unplugged_s: float = float('inf')
    returned_s: float = float('inf')
    killed_s: float = float('inf')
    back_s: float = float('inf')  # after the kill, loading included
    load_s: float = float('inf')


class PerceptionRig(Node):
    """Publishes pictures on schedule and notes when chunks come."""

    def __init__(self) -> None:
        super().__init__('perception_bench')
        camera = topics.camera_topics()
        self._colour = camera['colour'].publisher(self)
        self._info = camera['colour_info'].publisher(self)
        self._joints = topics.JOINT_STATES.publisher(self)
        self._instruction = topics.INSTRUCTION.publisher(self)
        topics.ACTION_CHUNK.subscribe(self, self._on_chunk)
        topics.PERCEPTION_STATE.subscribe(self, self._on_state)
        self._profile = load_arm_profile('wx250s')
        noise = np.random.default_rng(0)
        size = (HEIGHT_PX, WIDTH_PX, 3)
        self.pictures = [
            image_to_message(CameraImage(noise.integers(0, 255, size, dtype=np.uint8), 0, FRAME))
            for _ in range(KEPT)
        ]
        self._executor = make_executor()
        self._executor.add_node(self)
        self._sent_s: dict[int, float] = {}
        self._last_ns = self._count = 0
        self._next_s = time.monotonic()
        self.is_plugged = True
        self.seen = Seen()
        self.state: dict[str, str] = {}
        self.chunks = 0

    def instruct(self) -> None:
        """Say what to do."""
        self._instruction.publish(String(data='pick up the red cube'))

    def run(self, until: Callable[[], bool], timeout_s: float) -> float:
        """Publish and listen until something is so; how long that took, infinite when never."""
        started_s = time.monotonic()
        while not until():
            now_s = time.monotonic()
            if now_s - started_s > timeout_s:
                return float('inf')
            if now_s >= self._next_s:
                self._next_s = max(self._next_s, now_s - 0.5 / RATE_HZ) + 1.0 / RATE_HZ
                self._publish()
            self._executor.spin_once(max(0.0, self._next_s - time.monotonic()))
        return time.monotonic() - started_s

    def note_memory(self, pids: list[int], at_s: float) -> None:
        """Of node and worker together."""
        self.seen.memory_mb.append((at_s, sum(map(_resident_mb, pids))))

    def _publish(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        self._joints.publish(self._joint_state(now_ns))
        if not self.is_plugged:
            return
        self._count += 1
        message = self.pictures[self._count % KEPT]
        message.header.stamp = stamp_from_ns(now_ns)
        self._info.publish(camera_to_message(MODEL, now_ns, FRAME))
        self._sent_s = {now_ns: time.monotonic(), **dict(list(self._sent_s.items())[:60])}
        self._colour.publish(message)

    def _joint_state(self, now_ns: int) -> JointState:
        profile = self._profile
        positions = np.array([*profile.start_joints_rad, profile.finger_open_m])
        names = (*profile.joint_names, profile.gripper_joint)
        return joint_state_message(names, positions, np.zeros_like(positions), now_ns)

    def _on_chunk(self, message: JointTrajectory) -> None:
        now_s, stamp_ns = time.monotonic(), stamp_to_ns(message.header.stamp)
        self.chunks += 1
        self.seen.repeated += stamp_ns <= self._last_ns
        self._last_ns = stamp_ns
        if stamp_ns in self._sent_s:
            self.seen.latencies_ms.append((now_s - self._sent_s[stamp_ns]) * 1e3)

    def _on_state(self, message: DiagnosticStatus) -> None:
        self.state = status_values(message)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def wait_for_actions(rig: PerceptionRig) -> None:
    """Instruct, and begin to count once perception acts steadily."""
    rig.instruct()
    if rig.run(lambda: rig.chunks > 0, READY_S) > READY_S:
        raise EnvironmentMissing(f'no action within {READY_S:.0f} s; perception says {rig.state}')
    rig.run(lambda: False, SETTLE_S)
    rig.seen.latencies_ms.clear()


def watch(rig: PerceptionRig, node_pid: int, minutes: float) -> Seen:
    """The whole measurement."""
    wait_for_actions(rig)
    pids = [node_pid, int(rig.state['worker_pid'])]
    end_s = time.monotonic() + minutes * 60.0
    while (left_s := end_s - time.monotonic()) > 0:
        rig.run(lambda: False, min(1.0, left_s))
        rig.note_memory(pids, time.monotonic())
    latencies_ms = list(rig.seen.latencies_ms)
    rig.is_plugged = False
    rig.seen.unplugged_s = rig.run(lambda: rig.state['reason'] == 'CAMERA_STALE', LOST_S)
    rig.run(lambda: False, UNPLUGGED_S)
    rig.is_plugged, before = True, rig.chunks
    rig.seen.returned_s = rig.run(lambda: rig.chunks > before, LOST_S)
    os.kill(pids[1], signal.SIGKILL)
    rig.seen.killed_s = rig.run(lambda: rig.state['reason'] == 'MODEL_OOM', LOST_S)
    rig.seen.back_s = rig.seen.killed_s + rig.run(lambda: rig.state['worker'] == 'ready', LOST_S)
    rig.seen.load_s = float(rig.state['worker_load_s'])
    rig.seen.latencies_ms = latencies_ms
    return rig.seen


def main() -> None:
    """Measure beside a node that runs already."""
    node_pid, minutes = int(sys.argv[1]), float(sys.argv[2])
    rclpy.init()
    rig = PerceptionRig()
    try:
        sys.stdout.write(json.dumps(asdict(watch(rig, node_pid, minutes))))
    finally:
        rig.destroy_node()
        rclpy.shutdown()


if __name__ == '__main__':
    main()
