"""Pictures compressed without ROS decode to what they were; CDR as the rosbags package has it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pictures import STORE, image

from magma_ros.dataset.image_compression import LAYOUTS, compress_image, read_image
from magma_ros.dataset.recorded_topic import Arrival
from magma_ros.errors import RecordingError


def decoded(arrival: Arrival) -> tuple[object, np.ndarray]:
    message = STORE.deserialize_cdr(arrival.data, 'sensor_msgs/msg/CompressedImage')
    return message, cv2.imdecode(message.data, cv2.IMREAD_UNCHANGED)


def pixels_for(encoding: str) -> np.ndarray:
    kind, channels, _ = LAYOUTS[encoding]
    shape = (24, 30, channels) if channels > 1 else (24, 30)
    values = np.random.default_rng(5).integers(0, np.iinfo(kind).max, shape, endpoint=True)
    return values.astype(kind)


@pytest.mark.parametrize('encoding', LAYOUTS)
@pytest.mark.parametrize('frame', ['', 'a', 'ab', 'abc', 'camera_optical_frame'])
def test_png_keeps_every_pixel(encoding: str, frame: str) -> None:
    pixels = pixels_for(encoding)
    arrival = Arrival('/c', image(pixels, encoding, padding=3, frame=frame), 5, 4)
    compressed = compress_image(arrival, read_image(arrival), 'png', 90)
    message, found = decoded(compressed)
    assert (compressed.topic, compressed.received_ns) == ('/c/compressed', 5)
    assert (message.header.stamp.nanosec, message.header.frame_id) == (34, frame)  # type: ignore[attr-defined]
    conversion = LAYOUTS[encoding][2]
    expected = pixels if conversion is None else cv2.cvtColor(pixels, conversion)
    np.testing.assert_array_equal(found, expected)


def test_jpeg_is_close_and_depth_stays_exact() -> None:
    smooth = np.zeros((48, 64, 3), np.uint8)
    smooth[...] = np.linspace(0, 255, 64)[None, :, None]
    arrival = Arrival('/c', image(smooth, 'rgb8'), 5, 4)
    message, found = decoded(compress_image(arrival, read_image(arrival), 'jpeg', 95))
    assert message.format == 'rgb8; jpeg compressed bgr8'  # type: ignore[attr-defined]
    assert np.abs(found.astype(int) - smooth[..., ::-1]).max() < 6
    depth = pixels_for('16UC1')
    arrival = Arrival('/d', image(depth, '16UC1'), 5, 4)
    message, found = decoded(compress_image(arrival, read_image(arrival), 'jpeg', 95))
    assert message.format == '16UC1; png compressed'  # type: ignore[attr-defined]
    np.testing.assert_array_equal(found, depth)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda data: data[:40], 'not a picture'),
        (lambda data: b'\0\0' + data[2:], 'not little endian'),
        (lambda data: data.replace(b'rgb8', b'yuv9'), "encoding 'yuv9'"),
        (lambda data: data[:32] + b'\xff\xff\xff\x7f' + data[36:], 'not a picture'),
        (lambda data: data[:-1], 'not a picture'),
    ],
)
def test_what_is_no_picture_is_refused(change: object, message: str) -> None:
    data = image(pixels_for('rgb8'), 'rgb8')
    with pytest.raises(RecordingError, match=message):
        read_image(Arrival('/c', change(data), 5, 4))  # type: ignore[operator]
