"""Recorded action chunks -> how far the gripper was told to move between two instants.

A delta is a displacement executed once over its step, then the arm waits; a newer chunk takes the
place of what is left of an older one. So a chunk is a speed that changes from step to step, and
its integral is the same at whatever rate the dataset is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from magma_ros.data_types import CHUNK_NAMES, FloatArray
from magma_ros.dataset.reading.ros_decoding import decode
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import RecordingError
from magma_ros.rotations import quaternion_difference, turn_quaternion

JOINT_TRAJECTORY = 'trajectory_msgs/msg/JointTrajectory'
DIAGNOSTIC_STATUS = 'diagnostic_msgs/msg/DiagnosticStatus'
MOST_STEPS = 1000
LONGEST_STEP_S = 10.0
IDENTITY_XYZW = np.array([0.0, 0.0, 0.0, 1.0])


@dataclass(frozen=True)
class CommandedDelta:
    """What was commanded between two instants, base axes."""

    translation_m: FloatArray  # (3,)
    rotation_vector_rad: FloatArray  # (3,)
    gripper_opening: float | None  # at the later instant; None: nothing was said yet
    source: str  # of the newest chunk: policy, teleop, ...; '': none yet
    chunks: int  # that arrived in between


@dataclass(frozen=True)
class _Step:
    begin_ns: int
    end_ns: int
    values: FloatArray  # (7,)


class CommandedMotion:
    """Integrates chunks as they arrive."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._since_ns: int | None = None
        self._opening: float | None = None
        self._source = ''
        self._translation_m, self._turned_xyzw = np.zeros(3), IDENTITY_XYZW
        self._chunks = 0

    def add_chunk(self, message: StreamMessage) -> None:
        """Take up a chunk; what is left of the one before is dropped.

        Raises:
            RecordingError: no chunk, or not with the seven names of a delta.
        """
        if message.type_name != JOINT_TRAJECTORY:
            raise RecordingError(
                f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}, not '
                f'{JOINT_TRAJECTORY}: correct the mapping'
            )
        content = decode(message)
        if tuple(content.joint_names) != CHUNK_NAMES or len(content.points) > MOST_STEPS:
            raise RecordingError(
                f'{message.where}: {message.topic} is no action chunk; it needs the joint names '
                f'{", ".join(CHUNK_NAMES)}'
            )
        self._integrate(message.log_ns)
        self._steps = _steps(content.points, message)
        self._chunks += 1

    def add_info(self, message: StreamMessage) -> None:
        """Take up the companion of a chunk: who commands.

        Raises:
            RecordingError: it is something else.
        """
        if message.type_name != DIAGNOSTIC_STATUS:
            raise RecordingError(
                f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}, not '
                f'{DIAGNOSTIC_STATUS}: correct the mapping'
            )
        values = {entry.key: entry.value for entry in decode(message).values}
        self._source = values.get('source', self._source)[:64]

    def take(self, now_ns: int) -> CommandedDelta:
        """What was commanded since the last call."""
        self._integrate(now_ns)
        taken = CommandedDelta(
            self._translation_m,
            quaternion_difference(IDENTITY_XYZW, self._turned_xyzw),
            self._opening,
            self._source,
            self._chunks,
        )
        self._translation_m, self._turned_xyzw = np.zeros(3), IDENTITY_XYZW
        self._chunks = 0
        return taken

    def _integrate(self, now_ns: int) -> None:
        since_ns, self._since_ns = self._since_ns, now_ns
        if since_ns is None:
            return
        for step in self._steps:
            begun, ended = max(step.begin_ns, since_ns), min(step.end_ns, now_ns)
            if ended <= begun:
                continue
            share = (ended - begun) / (step.end_ns - step.begin_ns)
            self._translation_m = self._translation_m + share * step.values[:3]
            self._turned_xyzw = turn_quaternion(self._turned_xyzw, share * step.values[3:6])
            self._opening = float(step.values[6])


def _steps(points: list[Any], message: StreamMessage) -> list[_Step]:
    steps: list[_Step] = []
    begin_ns = message.log_ns
    for point in points:
        duration = point.time_from_start
        end_ns = message.log_ns + duration.sec * 1_000_000_000 + duration.nanosec
        values = np.array(point.positions, float)
        is_step = 0 < end_ns - begin_ns <= LONGEST_STEP_S * 1e9
        if not is_step or values.shape != (7,) or not np.isfinite(values).all():
            raise RecordingError(
                f'{message.where}: {message.topic}: a chunk needs seven finite numbers a step, '
                'and times that grow'
            )
        steps.append(_Step(begin_ns, end_ns, values))
        begin_ns = end_ns
    return steps
