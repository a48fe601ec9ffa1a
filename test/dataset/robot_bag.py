"""A recording of a wx250s that moves, made without ROS: what the converter is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from magma_ros.data_types import CHUNK_NAMES
from magma_ros.dataset.episode_record import EpisodeRecord, write_record
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.robot.joint_reading import opening_from_finger
from magma_ros.rotations import rotation_difference, rotation_of

START_NS = 1_700_000_000_000_000_000
JOINTS_HZ, CAMERA_HZ, CHUNK_HZ = 100, 30, 5
LATENCY_NS = 2_000_000  # from a stamp to its arrival
FRAME = 'camera_color_optical_frame'
CAMERA, JOINTS = '/camera/camera/color/image_raw', '/wx250s/joint_states'
COMPRESSED = f'{CAMERA}/compressed'
INSTRUCTION, MARKERS = '/magma/instruction', '/said'
CHUNK, INFO = '/magma/action_chunk', '/magma/action_info'
TYPES = {
    CAMERA: 'sensor_msgs/msg/Image',
    COMPRESSED: 'sensor_msgs/msg/CompressedImage',
    JOINTS: 'sensor_msgs/msg/JointState',
    INSTRUCTION: 'std_msgs/msg/String',
    MARKERS: 'std_msgs/msg/String',
    CHUNK: 'trajectory_msgs/msg/JointTrajectory',
    INFO: 'diagnostic_msgs/msg/DiagnosticStatus',
}


@cache
def arm() -> ArmProfile:
    return load_arm_profile('wx250s')


@cache
def store() -> Typestore:
    return get_typestore(Stores.ROS2_JAZZY)


def serialise(kind: str, message: Any) -> bytes:
    return bytes(store().serialize_cdr(message, kind))


def header(stamp_ns: int, frame: str = '') -> Any:
    types = store().types
    time = types['builtin_interfaces/msg/Time'](stamp_ns // 10**9, stamp_ns % 10**9)
    return types['std_msgs/msg/Header'](time, frame)


def joint_positions(time_s: float) -> np.ndarray:
    """(7,): slow waves of the arm, and a gripper that closes at 1.5 s."""
    profile = arm()
    joints = np.array(profile.start_joints_rad)
    joints = joints + 0.15 * np.sin(time_s * np.array([0.9, 0.7, 0.8, 0.5, 1.1, 0.6]))
    opening = np.clip(1.0 - (time_s - 1.5) / 0.4, 0.0, 1.0)
    finger = profile.finger_closed_m + opening * (profile.finger_open_m - profile.finger_closed_m)
    return np.append(joints, finger)


def tip_path(duration_s: float, period_s: float) -> np.ndarray:
    """(n, 7): place and sum of turns of the tool point, and the opening, at regular times."""
    kinematics, rows = arm().kinematics(), []
    turned, last = np.zeros(3), None
    for time_s in np.arange(0.0, duration_s, period_s):
        joints = joint_positions(time_s)
        pose = kinematics.forward(joints[:6])
        rotation = rotation_of(pose)
        turned = turned + (rotation_difference(last, rotation) if last is not None else 0.0)
        last = rotation
        rows.append([*pose.translation_m, *turned, opening_from_finger(joints[6], arm())])
    return np.array(rows)


def picture(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """(height, width, 3): a pattern that moves, with noise of its own."""
    rows, columns = np.mgrid[:height, :width]
    pattern = np.stack([columns * 3 + 2 * index, rows * 4, rows + columns + index], axis=2)
    noise = np.random.default_rng(index).integers(0, 6, pattern.shape)
    return (pattern + noise).astype(np.uint8)


def image_message(rgb: np.ndarray, stamp_ns: int, encoding: str = 'rgb8') -> bytes:
    kind = 'sensor_msgs/msg/Image'
    height, width, channels = rgb.shape
    data = np.ascontiguousarray(rgb).reshape(-1)
    parts: Any = (header(stamp_ns, FRAME), height, width, encoding, 0, width * channels, data)
    return serialise(kind, store().types[kind](*parts))


def joint_message(time_s: float, stamp_ns: int) -> bytes:
    kind = 'sensor_msgs/msg/JointState'
    profile = arm()
    names = [*profile.joint_names, profile.gripper_joint]
    empty = np.array([])
    parts: Any = (header(stamp_ns), names, joint_positions(time_s), empty, empty)
    return serialise(kind, store().types[kind](*parts))


def string_message(text: str) -> bytes:
    kind = 'std_msgs/msg/String'
    return serialise(kind, store().types[kind](text))


def chunk_message(deltas: np.ndarray, stamp_ns: int, step_s: float = 0.2) -> bytes:
    types = store().types
    empty = np.array([])
    points = []
    for index, delta in enumerate(deltas):
        ns = round((index + 1) * step_s * 1e9)
        duration = types['builtin_interfaces/msg/Duration'](ns // 10**9, ns % 10**9)
        point = types['trajectory_msgs/msg/JointTrajectoryPoint']
        points.append(point(np.asarray(delta, float), empty, empty, empty, duration))
    kind = 'trajectory_msgs/msg/JointTrajectory'
    head = header(stamp_ns, 'wx250s/base_link')
    return serialise(kind, types[kind](head, list(CHUNK_NAMES), points))


def info_message(source: str) -> bytes:
    types = store().types
    kind = 'diagnostic_msgs/msg/DiagnosticStatus'
    value = types['diagnostic_msgs/msg/KeyValue']('source', source)
    return serialise(kind, types[kind](0, 'action_info', '', '', [value]))


def robot_arrivals(
    duration_s: float = 3.0, size: tuple[int, int] = (64, 48), start_ns: int = START_NS
) -> list[Arrival]:
    """Everything of an episode in the order of its arrival."""
    return sorted(_arrivals(duration_s, size, start_ns), key=lambda one: one.received_ns)


def _arrivals(duration_s: float, size: tuple[int, int], start_ns: int) -> Iterator[Arrival]:
    yield Arrival(INSTRUCTION, string_message('put the cube in the bowl'), start_ns, start_ns)
    for index in range(round(duration_s * CAMERA_HZ)):
        stamp_ns = start_ns + round((index + 0.5) * 1e9 / CAMERA_HZ)
        data = image_message(picture(index, *size), stamp_ns)
        yield Arrival(CAMERA, data, stamp_ns + LATENCY_NS, stamp_ns)
    for index in range(round(duration_s * JOINTS_HZ)):
        stamp_ns = start_ns + round(index * 1e9 / JOINTS_HZ)
        data = joint_message(index / JOINTS_HZ, stamp_ns)
        yield Arrival(JOINTS, data, stamp_ns + LATENCY_NS // 2, stamp_ns)
    yield from commands(duration_s, lambda shift: shift, start_ns)


def commands(
    duration_s: float,
    turned: Callable[[np.ndarray], np.ndarray],
    start_ns: int = START_NS,
) -> list[Arrival]:
    """Chunks that say what the arm then does, in axes that were turned."""
    path = tip_path(duration_s, 1.0 / CHUNK_HZ)
    arrivals = []
    for index, delta in enumerate(np.diff(path[:, :6], axis=0)):
        at_ns = start_ns + round(index * 1e9 / CHUNK_HZ) + 1
        values = np.concatenate([turned(delta[:3]), turned(delta[3:]), [path[index + 1, 6]]])
        arrivals.append(Arrival(INFO, info_message('teleop'), at_ns, at_ns))
        arrivals.append(Arrival(CHUNK, chunk_message(values[None], at_ns), at_ns + 1, at_ns))
    return arrivals


def write_robot_bag(folder: Path, arrivals: list[Arrival], success: bool | None = True) -> Path:
    """The arrivals as our recorder writes them."""
    with EpisodeWriter(folder) as writer:
        for topic in dict.fromkeys(arrival.topic for arrival in arrivals):
            kind = TYPES[topic]
            definition, _ = store().generate_msgdef(kind, ros_version=2)
            writer.add_topic(RecordedTopic(topic, kind, definition, '', ''))
        for arrival in arrivals:
            writer.write(arrival)
    ends_ns = arrivals[-1].received_ns
    start_ns = arrivals[0].received_ns
    write_record(folder, EpisodeRecord(folder.name, start_ns, ends_ns, 'operator', success))
    return folder
