"""A recording to convert, as long as it is wanted: one 640x480 camera at 30 fps, a wx250s."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.typesys import Stores, get_typestore

from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.image_compression import COMPRESSED_IMAGE
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile

START_NS = 1_700_000_000_000_000_000
CAMERA_HZ, JOINTS_HZ = 30, 100
SIZE_PX = (640, 480)
DIFFERENT = 60  # pictures that then begin again
JPEG_QUALITY = 95
CAMERA = '/camera/camera/color/image_raw/compressed'
JOINTS, SAID = '/wx250s/joint_states', '/magma/instruction'
JOINT_STATE, STRING = 'sensor_msgs/msg/JointState', 'std_msgs/msg/String'
KINDS = {CAMERA: COMPRESSED_IMAGE, JOINTS: JOINT_STATE, SAID: STRING}


def write_bag(folder: Path, duration_s: float) -> Path:
    """Write the recording."""
    store = get_typestore(Stores.ROS2_JAZZY)
    with EpisodeWriter(folder) as writer:
        for topic, kind in KINDS.items():
            definition, _ = store.generate_msgdef(kind, ros_version=2)
            writer.add_topic(RecordedTopic(topic, kind, definition, '', ''))
        for arrival in sorted(_arrivals(duration_s, store), key=lambda one: one.received_ns):
            writer.write(arrival)
    return folder


def draw_picture(index: int) -> np.ndarray:
    """(480, 640, 3): a textured table that stands still, a cube that goes its way, noise."""
    width, height = SIZE_PX
    canvas = _table().copy()
    left, top = 60 + 6 * (index % DIFFERENT), 150 + 2 * (index % DIFFERENT)
    texture = np.random.default_rng(1).integers(60, 250, (12, 12, 3), np.uint8)
    canvas[top : top + 96, left : left + 96] = cv2.resize(texture, (96, 96))
    noise = np.random.default_rng(index).integers(0, 5, (height, width, 1))
    return np.asarray(np.clip(canvas + noise, 0, 255), np.uint8)


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(40, 200, (60, 80, 3), np.uint8)
    return cv2.resize(coarse, SIZE_PX, interpolation=cv2.INTER_CUBIC)


@lru_cache(maxsize=DIFFERENT)
def encoded_picture(index: int) -> bytes:
    """As JPEG."""
    bgr = cv2.cvtColor(draw_picture(index), cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _arrivals(duration_s: float, store: Any) -> Iterator[Arrival]:
    types, profile = store.types, load_arm_profile('wx250s')
    sentence = types[STRING]('put the cube in the bowl')
    yield _arrival(store, SAID, sentence, START_NS)
    for index in range(round(duration_s * CAMERA_HZ)):
        at_ns = START_NS + round((index + 1) * 1e9 / CAMERA_HZ)
        octets = np.frombuffer(encoded_picture(index % DIFFERENT), np.uint8)
        picture = types[COMPRESSED_IMAGE](_header(types, at_ns), 'jpeg', octets)
        yield _arrival(store, CAMERA, picture, at_ns)
    for index in range(round(duration_s * JOINTS_HZ)):
        at_ns = START_NS + round(index * 1e9 / JOINTS_HZ)
        yield _arrival(store, JOINTS, _joints(types, profile, index / JOINTS_HZ, at_ns), at_ns)


def _joints(types: Any, profile: ArmProfile, time_s: float, at_ns: int) -> Any:
    waves = 0.2 * np.sin(time_s * np.array([0.9, 0.7, 0.8, 0.5, 1.1, 0.6]))
    finger = profile.finger_open_m if time_s % 8.0 < 4.0 else profile.finger_closed_m
    positions = np.append(np.array(profile.start_joints_rad) + waves, finger)
    names, nothing = [*profile.joint_names, profile.gripper_joint], np.array([])
    return types[JOINT_STATE](_header(types, at_ns), names, positions, nothing, nothing)


def _header(types: Any, at_ns: int) -> Any:
    stamp = types['builtin_interfaces/msg/Time'](at_ns // 10**9, at_ns % 10**9)
    return types['std_msgs/msg/Header'](stamp, 'camera')


def _arrival(store: Any, topic: str, message: Any, at_ns: int) -> Arrival:
    data = bytes(store.serialize_cdr(message, KINDS[topic]))
    return Arrival(topic, data, at_ns + 1_000_000, at_ns)
