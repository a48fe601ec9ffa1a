"""The chunks of a recorded episode, as they were received; for replaying them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from mcap.exceptions import McapError
from mcap.reader import make_reader
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import DeltaChunk, Pose
from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import arm_state_from_message
from magma_ros.ros.chunk_messages import ChunkPairing, info_from_message
from magma_ros.teleop.replay import Recording

MOST_CHUNKS = 100_000  # an hour at 27 Hz; a file of more is no episode


def read_recording(path: Path, profile: ArmProfile) -> Recording:
    """Read a bag: its folder, or the MCAP file in it.

    Raises:
        ConfigurationError: there is no bag, it is damaged, it holds no chunk, or no joint states
            of this arm from before the first chunk.
    """
    file = _find_file(path)
    pairing, start = ChunkPairing(), None
    chunks: list[tuple[int, DeltaChunk]] = []
    kinematics = profile.kinematics()
    for name, message, received_ns in _messages(file, profile):
        if name == profile.joint_states_topic:
            if not chunks:
                start = _pose(message, profile, kinematics, file)
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
            raise ConfigurationError(f'{file} has over {MOST_CHUNKS} chunks: no single episode')
    if not chunks or start is None:
        raise ConfigurationError(
            f'{file} cannot be replayed: it has {len(chunks)} action chunks and '
            f'{"no" if start is None else "some"} joint states on {profile.joint_states_topic} '
            'before them; record /magma/action_chunk, /magma/action_info and the joint states'
        )
    first_ns = chunks[0][0]
    return Recording(tuple(((ns - first_ns) * 1e-9, chunk) for ns, chunk in chunks), start)


def _find_file(path: Path) -> Path:
    files = sorted(path.glob('*.mcap')) if path.is_dir() else [path]
    if len(files) != 1 or not files[0].is_file():
        raise ConfigurationError(
            f'{path} has {len(files) if path.is_dir() else 0} MCAP files; the parameter recording '
            'of teleop_node must be the folder of one episode, or its file'
        )
    return files[0]


def _messages(file: Path, profile: ArmProfile) -> Iterator[tuple[str, Any, int]]:
    kinds = {
        topics.ACTION_CHUNK.name: JointTrajectory,
        topics.ACTION_INFO.name: DiagnosticStatus,
        profile.joint_states_topic: JointState,
    }
    with file.open('rb') as stream:
        try:
            reader = make_reader(stream, validate_crcs=True)
            for _, channel, message in reader.iter_messages(topics=list(kinds)):
                kind = kinds[channel.topic]
                yield channel.topic, deserialize_message(message.data, kind), message.log_time
        except McapError as error:
            raise ConfigurationError(
                f'{file} is damaged ({error}); magma bags repair makes it whole as far as it goes'
            ) from error


def _pose(message: JointState, profile: ArmProfile, kinematics: Any, file: Path) -> Pose:
    try:
        return arm_state_from_message(message, profile, kinematics).pose_gripper_in_base
    except ArmError as error:
        raise ConfigurationError(
            f'{file} is of another arm than {profile.name}: {error}'
        ) from error
