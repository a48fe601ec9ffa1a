import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from magma_ros.data_types import (  # noqa: E402
    CameraImage,
    GripperEvent,
    GuidedPath,
    PixelTrace,
)
from magma_ros.ros.trace_messages import (  # noqa: E402
    overlay_message,
    path_to_message,
    trace_to_message,
)

pytestmark = pytest.mark.ros
IMAGE = CameraImage(np.full((48, 64, 3), 200, np.uint8), 5, 'optical')
TRACE = PixelTrace(
    3,
    np.array([5.0, 6.0]),
    np.array([[20.0, 21.0], [50.0, 40.0]]),
    {1: GripperEvent.CLOSE},
)


def test_marker_has_the_line_and_its_events():
    marker = trace_to_message(TRACE, IMAGE)

    assert marker.id == 3
    assert [(p.x, p.y) for p in marker.points] == [(5, 6), (20, 21), (50, 40)]
    assert marker.outline_colors[2] != marker.outline_colors[1] == marker.outline_color
    assert (marker.header.frame_id, marker.header.stamp.nanosec) == ('optical', 5)


@pytest.mark.parametrize('count', [1, 3])
def test_path_has_points_and_yaws(count):
    points = np.arange(3.0 * count).reshape(count, 3)
    path = GuidedPath(points, {}, np.full(count, np.pi / 2))

    message = path_to_message(path, 9, 'base')

    assert len(message.poses) == count
    last = message.poses[-1].pose
    assert [last.position.x, last.position.y, last.position.z] == points[-1].tolist()
    assert last.orientation.z == pytest.approx(np.sqrt(0.5))


def test_overlay_is_a_picture_with_the_trace_in_it():
    message = overlay_message(IMAGE, [TRACE])

    picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert message.format == 'jpeg'
    assert picture.shape == IMAGE.rgb.shape
    assert np.abs(picture[21, 20].astype(int) - 200).max() > 60
    assert np.abs(picture[45, 5].astype(int) - 200).max() < 10
    assert (IMAGE.rgb == 200).all()
