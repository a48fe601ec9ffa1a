"""Bags of the scripted expert in simulation, faster than real time: stand-ins for a person's.

They are written by the recorder's own writer with the topics and frames of a session, pictures
five times a second and the arm fifty times; nodes, their clocks and latencies are not in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from magma_ros.data_types import ArmState, CameraModel, DeltaChunk, Observation
from magma_ros.dataset.episode_record import EpisodeRecord, write_record
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.sim.camera import OPTICAL_FRAME, SimCamera
from magma_ros.sim.expert import expert_delta
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.scene import Variation
from magma_ros.sim.tasks import Task, TaskKind
from magma_ros.sim.world import World
from magma_ros.training.finetuning.bag_camera import CAMERA_INFO, TRANSFORMS

IMAGE, JOINTS = '/camera/camera/color/image_raw/compressed', '/wx250s/joint_states'
INSTRUCTION = '/magma/instruction'
TYPES = {
    IMAGE: 'sensor_msgs/msg/CompressedImage',
    CAMERA_INFO: 'sensor_msgs/msg/CameraInfo',
    TRANSFORMS: 'tf2_msgs/msg/TFMessage',
    JOINTS: 'sensor_msgs/msg/JointState',
    INSTRUCTION: 'std_msgs/msg/String',
}
START_NS = 1_700_000_000_000_000_000
AFTER_SUCCESS_S = 0.6
JPEG_QUALITY = 95
EMPTY = np.array([])


def record_scripted(
    folder: Path, kinds: Sequence[TaskKind], seeds: Sequence[int], variation: Variation
) -> int:
    """One bag per seed, the kinds in turn; returns how many succeeded. Bags that exist are kept.

    Raises:
        DiskError, RecordingError: a bag cannot be written.
    """
    world = World(load_arm_profile('wx250s'))
    camera = SimCamera(world)
    successes = 0
    try:
        for index, seed in enumerate(seeds):
            scenario = make_scenario(kinds[index % len(kinds)], seed, False, variation)
            bag = folder / f'{scenario.task.kind}_{seed}'
            if bag.exists():
                continue
            tape = _Tape(world, scenario.task)
            result = run_episode(
                world, camera, tape, scenario.task, scenario.scene,
                after_success_s=AFTER_SUCCESS_S, on_tick=tape.note_joints,
            )  # fmt: skip
            tape.write(bag, scenario.instruction, camera.model(), result.success)
            successes += result.success
    finally:
        camera.close()
    return successes


class _Tape:
    """The expert as a policy, and everything it saw and said as messages."""

    def __init__(self, world: World, task: Task) -> None:
        self._world, self._task = world, task
        self._arrivals: list[Arrival] = []

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        """The expert's action in the true state."""
        stamp_ns = observation.image.stamp_ns
        delta = expert_delta(self._task, self._world.truth())
        self._add(JOINTS, joint_message(observation.arm, self._world.profile), stamp_ns)
        self._add(IMAGE, image_message(observation.image.rgb, stamp_ns), stamp_ns)
        base = self._world.profile.base_link
        return DeltaChunk(
            (delta,), POLICY_PERIOD_S, stamp_ns, 'measured', base, sequence, 'expert'
        )

    def latency_s(self) -> float:
        """Of somebody who thinks ahead."""
        return 0.03

    def note_joints(self, now_s: float) -> None:
        """Called after each control tick."""
        stamp_ns = round(now_s * 1e9)
        arm = self._world.arm_state(stamp_ns)
        self._add(JOINTS, joint_message(arm, self._world.profile), stamp_ns)

    def write(self, bag: Path, instruction: str, camera: CameraModel, success: bool) -> None:
        """The bag, and ``episode.json`` beside it."""
        base = self._world.profile.base_link
        first = [
            Arrival(TRANSFORMS, transform_message(camera, base), START_NS, START_NS),
            Arrival(CAMERA_INFO, camera_message(camera), START_NS, START_NS),
            Arrival(INSTRUCTION, _message(INSTRUCTION, instruction), START_NS, START_NS),
        ]
        arrivals = first + sorted(self._arrivals, key=lambda one: one.received_ns)
        with EpisodeWriter(bag) as writer:
            for name, kind in TYPES.items():
                definition, _ = _types().generate_msgdef(kind, ros_version=2)
                writer.add_topic(RecordedTopic(name, kind, definition, '', ''))
            for arrival in arrivals:
                writer.write(arrival)
        ended_ns = arrivals[-1].received_ns
        write_record(bag, EpisodeRecord(bag.name, START_NS, ended_ns, 'operator', success))

    def _add(self, topic: str, data: bytes, stamp_ns: int) -> None:
        time_ns = START_NS + stamp_ns
        self._arrivals.append(Arrival(topic, data, time_ns, time_ns))


def joint_message(arm: ArmState, profile: ArmProfile) -> bytes:
    """Joint states with the finger, as the driver of the arm sends them."""
    span_m = profile.finger_open_m - profile.finger_closed_m
    finger_m = profile.finger_closed_m + arm.gripper_opening * span_m
    names = [*profile.joint_names, profile.gripper_joint]
    positions = np.append(arm.joint_positions_rad, finger_m)
    velocities = np.append(arm.joint_velocities_rad_s, 0.0)
    return _message(JOINTS, _header(arm.stamp_ns), names, positions, velocities, EMPTY)


def image_message(rgb: np.ndarray, stamp_ns: int) -> bytes:
    """A colour picture as JPEG, as image_transport sends it."""
    _, jpeg = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return _message(IMAGE, _header(stamp_ns, OPTICAL_FRAME), 'rgb8; jpeg compressed bgr8', jpeg)


def camera_message(camera: CameraModel) -> bytes:
    """The lens, without distortion."""
    fx, fy, cx, cy = (
        camera.focal_x_px, camera.focal_y_px, camera.centre_x_px, camera.centre_y_px
    )  # fmt: skip
    k = np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1.0])
    p = np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1.0, 0])
    region = _make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
    header, size = _header(0, OPTICAL_FRAME), (camera.height_px, camera.width_px)
    rotation = np.eye(3).reshape(-1)
    return _message(
        CAMERA_INFO, header, *size, 'plumb_bob', np.zeros(5), k, rotation, p, 0, 0, region
    )


def transform_message(camera: CameraModel, base_frame: str) -> bytes:
    """Where the camera stands."""
    pose = camera.pose_camera_in_base
    transform = _make(
        'geometry_msgs/msg/Transform',
        _make('geometry_msgs/msg/Vector3', *pose.translation_m.tolist()),
        _make('geometry_msgs/msg/Quaternion', *pose.quaternion_xyzw.tolist()),
    )
    stamped = _make(
        'geometry_msgs/msg/TransformStamped', _header(0, base_frame), OPTICAL_FRAME, transform
    )
    return _message(TRANSFORMS, [stamped])


@cache
def _types() -> Typestore:
    return get_typestore(Stores.ROS2_JAZZY)


def _make(kind: str, *fields: Any) -> Any:
    return _types().types[kind](*fields)


def _message(topic: str, *fields: Any) -> bytes:
    kind = TYPES[topic]
    return bytes(_types().serialize_cdr(_make(kind, *fields), kind))


def _header(since_start_ns: int, frame: str = '') -> Any:
    stamp_ns = START_NS + since_start_ns
    time = _make('builtin_interfaces/msg/Time', stamp_ns // 10**9, stamp_ns % 10**9)
    return _make('std_msgs/msg/Header', time, frame)
