"""What belongs to a picture, and what is wrong with it; the messages come from a list."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from sensor_msgs.msg import CompressedImage  # noqa: E402

from magma_ros.data_types import CameraImage, CameraModel, DepthImage, Pose  # noqa: E402
from magma_ros.errors import ArmError, CameraError  # noqa: E402
from magma_ros.nodes.perception_inputs import PerceptionInputs  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.arm_messages import joint_state_message  # noqa: E402
from magma_ros.ros.camera_messages import (  # noqa: E402
    camera_to_message,
    depth_to_message,
    image_to_message,
)

STAMP_NS = 10**18
POSE = Pose(np.zeros(3), np.eye(4)[3])
CAMERA = CameraModel(64, 48, 60.0, 60.0, 32.0, 24.0, POSE)
RGB = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
IMAGE = CameraImage(RGB, STAMP_NS, 'camera')
PROFILE = load_arm_profile('wx250s')
NAMES = topics.camera_topics()


class Node:
    """As much of a node as inputs need."""

    def __init__(self) -> None:
        self.callbacks = {}
        self.destroyed = []

    def create_subscription(self, kind, name, callback, qos):
        self.callbacks[name] = callback
        return name

    def destroy_subscription(self, name) -> None:
        self.destroyed.append(name)

    def get_clock(self):
        return SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=STAMP_NS + 7))

    def hear(self, topic, message) -> None:
        self.callbacks[topic.name](message)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def inputs(node) -> PerceptionInputs:
    inputs = PerceptionInputs(node, PROFILE, '/camera/camera', POSE)
    positions = np.array([*PROFILE.start_joints_rad, PROFILE.finger_open_m])
    names = (*PROFILE.joint_names, PROFILE.gripper_joint)
    node.hear(
        topics.JOINT_STATES, joint_state_message(names, positions, 0.0 * positions, STAMP_NS)
    )
    node.hear(NAMES['colour_info'], camera_to_message(CAMERA, STAMP_NS, 'camera'))
    return inputs


def hear_depth(node, width=64, height=48, stamp_ns=STAMP_NS) -> None:
    depth = DepthImage(np.full((height, width), 0.5, np.float32), stamp_ns)
    node.hear(NAMES['depth'], depth_to_message(depth, 'camera'))


def test_a_picture_is_observed_with_arm_camera_and_depth(node, inputs) -> None:
    hear_depth(node)

    seen = inputs.observe(IMAGE)

    assert seen.camera == CAMERA
    assert seen.arm.stamp_ns == STAMP_NS
    np.testing.assert_allclose(seen.read_depth().depth_m, 0.5)


@pytest.mark.parametrize(
    ('hear', 'says'),
    [
        (lambda node: None, 'CAMERA_STALE: no aligned depth'),
        (lambda node: hear_depth(node, 32, 24), 'CAMERA_FORMAT: depth is 32 x 24, .* 64 x 48'),
        (lambda node: hear_depth(node, stamp_ns=STAMP_NS - 2 * 10**9), 'CAMERA_STALE: .*too old'),
    ],
)
def test_depth_of_no_use_is_named(node, inputs, hear, says) -> None:
    hear(node)

    with pytest.raises(CameraError, match=says):
        inputs.observe(IMAGE).read_depth()


def test_a_camera_without_a_focal_length_is_named(node, inputs) -> None:
    message = camera_to_message(CAMERA, STAMP_NS, 'camera')
    message.k[0] = 0.0
    node.hear(NAMES['colour_info'], message)

    with pytest.raises(CameraError, match='CAMERA_FORMAT: .*calibrate the camera'):
        inputs.observe(IMAGE)


def test_missing_joint_states_and_calibration_are_named(node) -> None:
    inputs = PerceptionInputs(node, PROFILE, '/camera/camera', POSE)

    with pytest.raises(ArmError, match='JOINTS_STALE'):
        inputs.observe(IMAGE)


def test_pictures_know_when_they_came_and_the_newest_waits(node, inputs) -> None:
    for seconds in (0, 1):
        image = CameraImage(RGB, STAMP_NS + seconds * 10**9, 'camera')
        node.hear(NAMES['colour'], image_to_message(image))

    arrival = inputs.pictures.take(0.0)

    assert (arrival.stamp_ns, arrival.came_ns) == (STAMP_NS + 10**9, STAMP_NS + 7)
    np.testing.assert_array_equal(arrival.read().rgb, RGB)
    assert inputs.pictures.overwritten == 1


def test_compressed_pictures_are_read_where_they_are_wanted(node) -> None:
    inputs = PerceptionInputs(node, PROFILE, '/cam', POSE, compressed=True)
    message = CompressedImage(format='png')
    message.data = cv2.imencode('.png', RGB[..., ::-1])[1].tobytes()
    node.callbacks['/cam/color/image_raw/compressed'](message)

    np.testing.assert_array_equal(inputs.pictures.take(0.0).read().rgb, RGB)
    assert '/cam/color/image_raw' not in node.callbacks


def test_what_was_subscribed_is_given_back(node, inputs) -> None:
    inputs.close()

    assert set(node.destroyed) == set(node.callbacks)
