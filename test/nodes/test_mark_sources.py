"""Clicks of a person, and the marks of every source."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import PointStamped  # noqa: E402
from scipy.spatial.transform import Rotation  # noqa: E402

from magma_ros.data_types import ArmState, CameraImage, CameraModel, Observation  # noqa: E402
from magma_ros.nodes.mark_sources import MARK_SOURCES, MarkSources  # noqa: E402
from magma_ros.rotations import make_pose  # noqa: E402

ABOVE = make_pose(np.array([0.3, 0.0, 1.0]), Rotation.from_euler('x', np.pi))
CAMERA = CameraModel(640, 480, 500.0, 500.0, 320.0, 240.0, ABOVE)
RGB = np.full((480, 640, 3), 90, np.uint8)
RGB[100:160, 200:260] = (200, 30, 30)


class Node:
    """Takes subscriptions; ``click`` is a message that comes."""

    def create_subscription(self, kind, name, callback, quality):
        self._callback = callback
        return name

    def click(self, x: float, y: float, frame_id: str = 'camera') -> None:
        message = PointStamped()
        message.header.frame_id, message.point.x, message.point.y = frame_id, x, y
        self._callback(message)


def observe(frame_id: str = 'camera') -> Observation:
    pose = make_pose(np.array([0.4, 0.0, 0.0]), Rotation.identity())
    arm = ArmState(np.zeros(6), np.zeros(6), pose, 1.0, 0)
    return Observation(CameraImage(RGB, 0, frame_id), arm, CAMERA, lambda: pytest.fail('no depth'))


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def sources(node) -> MarkSources:
    return MarkSources(node)


def test_every_source_marks_what_it_says(node, sources) -> None:
    node.click(50.0, 60.0)
    found = {source: sources.choose(source, observe()) for source in MARK_SOURCES}

    assert len(found['grid']) == 12
    assert found['gripper'][1] == pytest.approx([370.0, 240.0])
    assert found['clicks'][1].tolist() == [50.0, 60.0]
    assert found['segments'][1] == pytest.approx([230.0, 130.0], abs=6)


def test_clicks_belong_to_their_camera_and_can_be_taken_back(node, sources) -> None:
    node.click(50.0, 60.0)
    node.click(200.0, 60.0)
    node.click(300.0, 60.0, 'another camera')
    node.click(float('nan'), 60.0)
    node.click(9000.0, 60.0)

    assert len(sources.choose('clicks', observe())) == 2
    assert len(sources.choose('clicks', observe('another camera'))) == 1
    node.click(-1.0, 0.0)
    assert sources.choose('clicks', observe()) == {}
