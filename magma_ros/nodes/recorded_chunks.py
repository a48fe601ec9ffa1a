"""The chunks of a recorded episode, as they were received; for replaying them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import DeltaChunk, Pose
from magma_ros.dataset.bag_reader import bag_files, read_messages, report_file
from magma_ros.dataset.mcap_scan import Ending
from magma_ros.errors import ArmError, ConfigurationError, RecordingError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import arm_state_from_message
from magma_ros.ros.chunk_messages import ChunkPairing, info_from_message
from magma_ros.teleop.replay import Recording

MOST_CHUNKS = 100_000  # an hour at 27 Hz; a file of more is no episode


def read_recording(path: Path, profile: ArmProfile) -> Recording:
    """Read a bag: its folder, or the MCAP file in it.

    Raises:
        RecordingError: there is no bag, it is damaged, or it was cut off.
        ConfigurationError: it holds no chunk, or no joint states of this arm from before the
            first one.
    """
    pairing, start = ChunkPairing(), None
    chunks: list[tuple[int, DeltaChunk]] = []
    kinematics = profile.kinematics()
    for name, message, received_ns in _messages(path, profile):
        if name == profile.joint_states_topic:
            if not chunks:
                start = _pose(message, profile, kinematics, path)
            continue
        is_info = name == topics.ACTION_INFO.name
        chunk = (
            pairing.offer_info(info_from_message(message))
            if is_info
            else pairing.offer_message(message)
        )
        if chunk is not None:
            chunks.append((received_ns, chunk))
        if len(chunks) > MOST_CHUNKS:
            raise ConfigurationError(f'{path} has over {MOST_CHUNKS} chunks: no single episode')
    if not chunks or start is None:
        raise ConfigurationError(
            f'{path} cannot be replayed: it has {len(chunks)} action chunks and '
            f'{"no" if start is None else "some"} joint states on {profile.joint_states_topic} '
            'before them; record /magma/action_chunk, /magma/action_info and the joint states'
        )
    first_ns = chunks[0][0]
    return Recording(tuple(((ns - first_ns) * 1e-9, chunk) for ns, chunk in chunks), start)


def _messages(path: Path, profile: ArmProfile) -> Iterator[tuple[str, Any, int]]:
    """Topic, message and time of arrival.

    Raises:
        RecordingError: no bag, or a damaged one; names file and byte.
    """
    kinds = {
        topics.ACTION_CHUNK.name: JointTrajectory,
        topics.ACTION_INFO.name: DiagnosticStatus,
        profile.joint_states_topic: JointState,
    }
    for file in bag_files(path):
        if report_file(file).ending is Ending.UNFINISHED:
            raise RecordingError(f'{file} was cut off; magma bags repair ends it')
    for message in read_messages(path):
        if message.topic not in kinds:
            continue
        try:
            read = deserialize_message(message.data, kinds[message.topic])
        except (RuntimeError, UnicodeDecodeError) as error:  # the RMWError of rclpy is the former
            raise RecordingError(
                f'{path}: message {message.sequence} of {message.topic} is damaged ({error})'
            ) from error
        yield message.topic, read, message.log_ns


def _pose(message: JointState, profile: ArmProfile, kinematics: Any, path: Path) -> Pose:
    try:
        return arm_state_from_message(message, profile, kinematics).pose_gripper_in_base
    except ArmError as error:
        raise ConfigurationError(
            f'{path} is of another arm than {profile.name}: {error}'
        ) from error
