import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('rclpy')

from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402

from magma_ros.data_types import CameraImage, CameraModel, DepthImage, Pose  # noqa: E402
from magma_ros.errors import CameraError  # noqa: E402
from magma_ros.ros.camera_messages import (  # noqa: E402
    camera_from_message,
    camera_to_message,
    depth_from_message,
    depth_to_message,
    image_from_compressed,
    image_from_message,
    image_to_message,
)

pytestmark = pytest.mark.ros
NOWHERE = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))


def picture(height, width, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31 * 10**9 - 1), st.text(max_size=5)
)
def test_colour_round_trip(height, width, stamp_ns, frame_id):
    image = CameraImage(picture(height, width), stamp_ns, frame_id.replace('\0', ''))

    copy = image_from_message(image_to_message(image))

    np.testing.assert_array_equal(copy.rgb, image.rgb)
    assert (copy.stamp_ns, copy.frame_id) == (image.stamp_ns, image.frame_id)


@pytest.mark.parametrize(
    ('encoding', 'channels', 'order'),
    [
        ('rgb8', 3, [0, 1, 2]),
        ('bgr8', 3, [2, 1, 0]),
        ('rgba8', 4, [0, 1, 2]),
        ('bgra8', 4, [2, 1, 0]),
        ('mono8', 1, [0, 0, 0]),
    ],
)
def test_encodings_and_padded_rows(encoding, channels, order):
    pixels, padding = picture(4, 5, channels), 3
    rows = np.pad(pixels.reshape(4, -1), ((0, 0), (0, padding)))
    message = Image(height=4, width=5, encoding=encoding, step=5 * channels + padding)
    message.data = rows.tobytes()

    np.testing.assert_array_equal(image_from_message(message).rgb, pixels[..., order])


@pytest.mark.parametrize(
    ('changes', 'named'),
    [
        ({'encoding': 'bayer_rggb8'}, 'rgb8, bgr8'),
        ({'step': 5}, 'step 5'),
        ({'height': 3}, '60 bytes'),
        ({'height': 0}, '5 x 0'),
        ({'encoding': 'yuyv'}, 'odd width'),
        ({'width': 20_000, 'height': 20_000, 'step': 60_000}, '20000 x 20000'),
        ({'width': 2**32 - 1, 'height': 2**32 - 1, 'step': 2**32 - 1}, '4294967295 x'),
    ],
)
def test_contradictions_are_camera_errors(changes, named):
    message = Image(height=4, width=5, encoding='rgb8', step=15, data=bytes(60))
    for name, value in changes.items():
        setattr(message, name, value)

    with pytest.raises(CameraError, match=named) as caught:
        image_from_message(message)

    assert str(caught.value).startswith('CAMERA_FORMAT: ')


@pytest.mark.parametrize(
    ('encoding', 'luma'), [('yuyv', 0), ('yuv422_yuy2', 0), ('uyvy', 1), ('yuv422', 1)]
)
def test_yuv_of_web_cameras(encoding, luma):
    red = np.array([81, 90, 81, 240], np.uint8)  # Y U Y V of BT.601 red
    pixels = np.tile(red if luma == 0 else red[[1, 0, 3, 2]], (4, 3))
    message = Image(height=4, width=6, encoding=encoding, step=12, data=pixels.tobytes())

    rgb = image_from_message(message).rgb

    assert rgb.shape == (4, 6, 3)
    np.testing.assert_allclose(rgb, np.broadcast_to([255, 0, 0], rgb.shape), atol=3)


def test_compressed_pictures_keep_their_stamp():
    message = CompressedImage(format='rgb8; png compressed bgr8')
    message.header.stamp.sec, message.header.frame_id = 7, 'camera'
    rgb = picture(6, 5)
    message.data = cv2.imencode('.png', rgb[..., ::-1])[1].tobytes()

    image = image_from_compressed(message)

    np.testing.assert_array_equal(image.rgb, rgb)
    assert (image.stamp_ns, image.frame_id) == (7 * 10**9, 'camera')


def test_depth_round_trip_in_millimetres():
    depth = np.array([[0.0, 0.4821, 1.5], [np.nan, np.inf, 70.0]], dtype=np.float32)

    message = depth_to_message(DepthImage(depth, 7), 'optical')
    copy = depth_from_message(message)

    assert (message.encoding, message.header.frame_id, copy.stamp_ns) == ('16UC1', 'optical', 7)
    np.testing.assert_allclose(copy.depth_m, [[0.0, 0.482, 1.5], [0.0, 0.0, 65.535]], atol=1e-6)


@pytest.mark.parametrize(('encoding', 'kind'), [('16UC1', '>u2'), ('32FC1', '>f4')])
def test_depth_of_a_big_endian_camera(encoding, kind):
    values = np.array([[1500, 2]], dtype=kind)
    message = Image(height=1, width=2, encoding=encoding, is_bigendian=1, step=values.nbytes)
    message.data = values.tobytes()

    scale = 0.001 if encoding == '16UC1' else 1.0
    np.testing.assert_allclose(depth_from_message(message).depth_m, [[1500 * scale, 2 * scale]])


def test_camera_info_round_trip():
    camera = CameraModel(640, 480, 617.0, 616.0, 320.5, 240.5, NOWHERE)

    assert camera_from_message(camera_to_message(camera, 1, 'optical'), NOWHERE) == camera


def test_uncalibrated_camera_is_named():
    with pytest.raises(CameraError, match='calibrate'):
        camera_from_message(CameraInfo(width=640, height=480), NOWHERE)
