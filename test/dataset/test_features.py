"""What a dataset shows is what perception saw, bit for bit; mappings say what they mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from robot_bag import (
    CAMERA,
    COMPRESSED,
    INSTRUCTION,
    JOINTS,
    START_NS,
    chunk_message,
    header,
    image_message,
    picture,
    robot_arrivals,
    serialise,
    store,
    write_robot_bag,
)
from ruamel.yaml import YAML

from magma_ros.data_types import CHUNK_NAMES
from magma_ros.dataset.features.commanded_motion import CommandedMotion
from magma_ros.dataset.features.mapping import Mapping, load_mapping
from magma_ros.dataset.features.picture_feature import read_picture_message
from magma_ros.dataset.features.sampling import Gap, Sample, SamplingRules, sample_stream
from magma_ros.dataset.reading.bag_folder import open_folder
from magma_ros.dataset.reading.message_stream import MessageStream
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.dataset.video_compression import video_name
from magma_ros.errors import ConfigurationError, RecordingError
from magma_ros.image.image_preparation import resize_for_robot
from magma_ros.resources import config_path

MAPPING = load_mapping('wx250s')


def message(topic: str, kind: str, data: bytes, log_ns: int = START_NS) -> StreamMessage:
    return StreamMessage(topic, kind, log_ns, data, Path('bag_0.mcap'), 0)


def samples_of(arrivals: list[Arrival], tmp_path: Path, **rules: float) -> list[Sample | Gap]:
    bag = open_folder(write_robot_bag(tmp_path / 'bag', arrivals))
    stream = MessageStream(bag, MAPPING.topics)
    settings = SamplingRules(**{'size_px': 32, **rules})  # type: ignore[arg-type]
    return list(sample_stream(stream, MAPPING, MAPPING.profile(), settings))


def test_samples_are_what_perception_builds(tmp_path: Path) -> None:
    pytest.importorskip('rclpy')
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import Image, JointState

    from magma_ros.ros.arm_messages import arm_state_from_message
    from magma_ros.ros.camera_messages import image_from_message

    arrivals = robot_arrivals(1.0)
    samples = [one for one in samples_of(arrivals, tmp_path) if isinstance(one, Sample)]
    profile = MAPPING.profile()
    kinematics = profile.kinematics()

    assert len(samples) == 5
    for sample in samples:
        there = [one for one in arrivals if one.received_ns <= sample.time_ns]
        newest = next(one for one in reversed(there) if one.topic == CAMERA)
        image = image_from_message(deserialize_message(newest.data, Image))
        states = [one for one in there if one.topic == JOINTS]
        nearest = min(states, key=lambda one: abs(one.published_ns - image.stamp_ns))
        live = arm_state_from_message(
            deserialize_message(nearest.data, JointState), profile, kinematics
        )
        assert np.array_equal(sample.pictures['image'].rgb, resize_for_robot(image.rgb, 32))
        for name in ('joint_positions_rad', 'gripper_opening', 'stamp_ns'):
            assert np.array_equal(getattr(sample.arm, name), getattr(live, name))
        for name in ('translation_m', 'quaternion_xyzw'):
            pose, expected = sample.arm.pose_gripper_in_base, live.pose_gripper_in_base
            assert np.array_equal(getattr(pose, name), getattr(expected, name))


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'mono8'])
def test_every_encoding_is_as_live(encoding: str) -> None:
    pytest.importorskip('rclpy')
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import Image

    from magma_ros.ros.camera_messages import image_from_message

    channels = {'rgba8': 4, 'mono8': 1}.get(encoding, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    data = image_message(pixels, START_NS, encoding)

    recorded = read_picture_message(message(CAMERA, 'sensor_msgs/msg/Image', data))

    live = image_from_message(deserialize_message(data, Image))
    assert np.array_equal(recorded.rgb, live.rgb)
    assert (recorded.stamp_ns, recorded.frame_id) == (live.stamp_ns, live.frame_id)


def compressed(rgb: np.ndarray, suffix: str) -> bytes:
    kind = 'sensor_msgs/msg/CompressedImage'
    data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].reshape(-1)
    return serialise(kind, store().types[kind](header(START_NS), 'rgb8', data))


def test_compressed_pictures_are_read() -> None:
    kind = 'sensor_msgs/msg/CompressedImage'
    rgb = picture(3)

    exact = read_picture_message(message(COMPRESSED, kind, compressed(rgb, '.png')))
    close = read_picture_message(message(COMPRESSED, kind, compressed(rgb, '.jpg')))

    assert np.array_equal(exact.rgb, rgb)
    assert np.abs(close.rgb.astype(int) - rgb).mean() < 6.0


@pytest.mark.parametrize('cut', [1, 20, 200])
def test_damaged_pictures_name_their_place(cut: int) -> None:
    kind = 'sensor_msgs/msg/CompressedImage'
    data = compressed(picture(0), '.png')
    damaged = data[: len(data) // 2] + bytes(cut) + data[len(data) // 2 + cut :]

    with pytest.raises(RecordingError, match=r'bag_0\.mcap, byte 0: '):
        read_picture_message(message(COMPRESSED, kind, damaged[:-cut]))


def test_samples_without_fresh_pictures_or_sentence_are_gaps(tmp_path: Path) -> None:
    arrivals = robot_arrivals(2.0)
    without = [
        one
        for one in arrivals
        if not (one.topic == CAMERA and 0.6 < (one.received_ns - START_NS) * 1e-9 < 1.4)
    ]

    items = samples_of(without, tmp_path)
    silent = samples_of([one for one in arrivals if one.topic != INSTRUCTION], tmp_path / 'silent')

    reasons = [one.reason for one in items if isinstance(one, Gap)]
    assert reasons
    assert all(reason.startswith('no picture of image for') for reason in reasons)
    assert {one.reason for one in silent if isinstance(one, Gap)} == {'no instruction'}
    assert not any(isinstance(one, Sample) for one in silent)


def test_a_stamp_of_another_clock_gives_no_samples(tmp_path: Path) -> None:
    arrivals = [
        replace(one, data=image_message(picture(0), 5 * 10**9)) if one.topic == CAMERA else one
        for one in robot_arrivals(0.5)
    ]

    items = samples_of(arrivals, tmp_path)

    assert all(isinstance(one, Gap) and 'clocks' in one.reason for one in items)


def test_a_topic_of_another_type_is_said(tmp_path: Path) -> None:
    wrong = replace(MAPPING, joint_states=INSTRUCTION, instruction_topic='')
    bag = open_folder(write_robot_bag(tmp_path / 'bag', robot_arrivals(0.2)))

    with pytest.raises(RecordingError, match=r'/magma/instruction has the type .*String'):
        list(sample_stream(MessageStream(bag), wrong, wrong.profile(), SamplingRules()))


def commanded(second_ns: int, count: int) -> np.ndarray:
    """Total of a chunk that a second one replaces, asked for ``count`` times in a second."""
    deltas = [[0.01, 0.0, -0.02, 0.0, 0.0, 0.1, 1.0], [0.03, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    data = chunk_message(np.array(deltas), START_NS)
    first = message('/c', 'trajectory_msgs/msg/JointTrajectory', data)
    motion, total, waiting = (
        CommandedMotion(),
        np.zeros(3),
        [first, replace(first, log_ns=second_ns)],
    )
    motion.take(START_NS)
    for now_ns in np.linspace(START_NS, START_NS + 10**9, count + 1).astype(np.int64)[1:]:
        while waiting and waiting[0].log_ns <= now_ns:
            motion.add_chunk(waiting.pop(0))
        total += motion.take(int(now_ns)).translation_m
    return total


@pytest.mark.parametrize('count', [1, 4, 40])
def test_commanded_motion_is_the_same_at_every_rate(count: int) -> None:
    total = commanded(START_NS + 300_000_000, count)  # in the middle of the second step

    assert np.allclose(total, [0.01 + 0.015 + 0.01 + 0.03, 0.0, -0.04], atol=1e-12)


def test_the_mapping_names_what_the_live_side_names() -> None:
    topics = pytest.importorskip('magma_ros.ros.topics')
    from magma_ros.ros.chunk_messages import CHUNK_NAMES as LIVE_NAMES

    profile = MAPPING.profile()

    stored = {COMPRESSED, video_name(MAPPING.cameras[0].topic)}  # of the recorder
    assert MAPPING.topics <= {topic.name for topic in topics.TOPICS} | stored
    assert MAPPING.cameras[0].topic == topics.camera_topics()['colour'].name
    assert MAPPING.joint_states == profile.joint_states_topic == topics.JOINT_STATES.name
    assert MAPPING.instruction_topic == topics.INSTRUCTION.name
    assert MAPPING.chunk_topic == topics.ACTION_CHUNK.name
    assert MAPPING.info_topic == topics.ACTION_INFO.name
    assert LIVE_NAMES is CHUNK_NAMES


@pytest.mark.parametrize(
    ('path', 'value', 'complaint'),
    [
        (('camera',), {}, "unknown or missing keys \\['camera'"),
        (('cameras',), {}, 'at least one camera'),
        (('cameras',), {'../x': {'topic': '/a', 'frame': ''}}, 'lower-case'),
        (('cameras', 'image', 'topic'), 'no slash', 'give a topic'),
        (('joint_states',), 5, 'give a topic'),
        (('gripper', 'open'), 1.0, 'both, closed and open'),
        (('gripper', 'closed'), 'wide', 'position of the joint'),
        (('instruction', 'default'), 'a\nb', 'plain sentence'),
        (('arm',), 'r2d2', 'r2d2'),
    ],
)
def test_mistakes_in_a_mapping_are_named(
    tmp_path: Path, path: tuple[str, ...], value: object, complaint: str
) -> None:
    table = YAML(typ='safe').load(config_path('mappings/wx250s.yaml').read_text())
    place = table
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file = tmp_path / 'mapping.yaml'
    with file.open('w') as stream:
        YAML(typ='safe').dump(table, stream)

    with pytest.raises(ConfigurationError, match=complaint):
        load_mapping(str(file)).profile()


def test_polarity_of_a_mapping_takes_the_place_of_the_profile(tmp_path: Path) -> None:
    mapping: Mapping = replace(MAPPING, finger_closed=0.037, finger_open=0.015)
    inverted = mapping.profile()
    bag = open_folder(write_robot_bag(tmp_path / 'bag', robot_arrivals(0.3)))

    items = sample_stream(MessageStream(bag, mapping.topics), mapping, inverted, SamplingRules())

    assert [round(one.arm.gripper_opening, 6) for one in items if isinstance(one, Sample)] == [
        0,
        0,
    ]
