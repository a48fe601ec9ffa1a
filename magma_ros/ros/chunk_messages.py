"""Between DeltaChunk and the two messages it travels in; garbage is passed on, never repaired.

A chunk is a ``JointTrajectory`` whose "joints" are the seven components of a delta, stamped with
the picture's stamp, and a ``DiagnosticStatus`` with what a trajectory has no field for. The two
arrive in any order; :class:`ChunkPairing` puts them together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from magma_ros.data_types import CHUNK_NAMES, DeltaChunk, EndEffectorDelta
from magma_ros.errors import ConfigurationError
from magma_ros.model.action_model import ModelIdentity
from magma_ros.ros.status_messages import status_message, status_values
from magma_ros.ros.time_stamps import duration_from_s, duration_to_s, stamp_from_ns, stamp_to_ns

STEP_TOLERANCE_S = 1e-6
UNPAIRED = 8  # halves that wait: two sources, and what the network reorders
Half = TypeVar('Half')


@dataclass(frozen=True)
class ActionInfo:
    """What belongs to a chunk besides the numbers. Times on the ROS clock."""

    image_stamp_ns: int  # pairs it with its chunk
    sequence: int
    source: str
    reference: str
    model: ModelIdentity
    inference_start_ns: int
    inference_end_ns: int


def chunk_to_message(chunk: DeltaChunk) -> JointTrajectory:
    """The numbers of a chunk; :func:`info_to_message` has the rest."""
    message = JointTrajectory(joint_names=CHUNK_NAMES)
    message.header.stamp = stamp_from_ns(chunk.image_stamp_ns)
    message.header.frame_id = chunk.frame_id
    message.points = [
        JointTrajectoryPoint(
            positions=[*delta.translation_m, *delta.rotation_vector_rad, delta.gripper_opening],
            time_from_start=duration_from_s((index + 1) * chunk.step_s),
        )
        for index, delta in enumerate(chunk.deltas)
    ]
    return message


def chunk_from_message(message: JointTrajectory, info: ActionInfo) -> DeltaChunk:
    """A chunk as it came. What is wrong with it stays wrong, and the core refuses it.

    Names other than CHUNK_NAMES give a chunk without deltas (ACTION_DIMS), points that are not
    evenly spaced a step time that is not a number (STEP_TIME).
    """
    known = tuple(message.joint_names) == CHUNK_NAMES
    deltas = tuple(_delta(np.array(point.positions)) for point in message.points if known)
    times = [duration_to_s(point.time_from_start) for point in message.points]
    step_s = times[0] if times else math.nan
    even = all(
        abs(time - (index + 1) * step_s) < STEP_TOLERANCE_S for index, time in enumerate(times)
    )
    return DeltaChunk(
        deltas,
        step_s if even else math.nan,
        stamp_to_ns(message.header.stamp),
        info.reference,  # type: ignore[arg-type]  # an unknown one is refused by the core
        message.header.frame_id,
        info.sequence,
        info.source,
    )


def info_to_message(info: ActionInfo) -> DiagnosticStatus:
    """The companion of a chunk."""
    return status_message(
        'action_info',
        f'{info.source} {info.sequence}',
        {
            'image_stamp_ns': info.image_stamp_ns,
            'sequence': info.sequence,
            'source': info.source,
            'reference': info.reference,
            'model': info.model.name,
            'model_sha256': info.model.sha256,
            'inference_start_ns': info.inference_start_ns,
            'inference_end_ns': info.inference_end_ns,
        },
    )


def info_from_message(message: DiagnosticStatus) -> ActionInfo:
    """The companion as it came.

    Raises:
        ConfigurationError: a field is missing or not a number where one is needed.
    """
    values = status_values(message)
    try:
        return ActionInfo(
            int(values['image_stamp_ns']),
            int(values['sequence']),
            values['source'],
            values['reference'],
            ModelIdentity(values['model'], values['model_sha256']),
            int(values['inference_start_ns']),
            int(values['inference_end_ns']),
        )
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            f'action_info cannot be read ({error!r}); it needs image_stamp_ns, sequence, source, '
            'reference, model, model_sha256, inference_start_ns and inference_end_ns'
        ) from error


class ChunkPairing:
    """Holds the newest of each message until both halves of a chunk are there."""

    def __init__(self) -> None:
        self._messages: dict[int, JointTrajectory] = {}  # by stamp, oldest first
        self._infos: dict[int, ActionInfo] = {}

    def offer_message(self, message: JointTrajectory) -> DeltaChunk | None:
        """The whole chunk if its companion came before."""
        stamp_ns = stamp_to_ns(message.header.stamp)
        _put(self._messages, stamp_ns, message)
        return self._pair(stamp_ns)

    def offer_info(self, info: ActionInfo) -> DeltaChunk | None:
        """The whole chunk if its numbers came before."""
        _put(self._infos, info.image_stamp_ns, info)
        return self._pair(info.image_stamp_ns)

    def _pair(self, stamp_ns: int) -> DeltaChunk | None:
        if stamp_ns not in self._messages or stamp_ns not in self._infos:
            return None
        return chunk_from_message(self._messages.pop(stamp_ns), self._infos.pop(stamp_ns))


def _put(waiting: dict[int, Half], stamp_ns: int, half: Half) -> None:
    waiting.pop(stamp_ns, None)
    waiting[stamp_ns] = half
    while len(waiting) > UNPAIRED:
        del waiting[next(iter(waiting))]


def _delta(values: np.ndarray) -> EndEffectorDelta:
    """Seven values in order; any other number of them gives shapes that the core refuses."""
    gripper = float(values[-1]) if len(values) else math.nan
    return EndEffectorDelta(values[:3], values[3:-1], gripper)
