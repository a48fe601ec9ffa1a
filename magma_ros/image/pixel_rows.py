"""Bytes of a raw picture message -> RGB; the same for what is live and what is recorded."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import CameraError

# Encoding -> channels, and their order as RGB.
COLOUR_ENCODINGS: dict[str, tuple[int, tuple[int, int, int]]] = {
    'rgb8': (3, (0, 1, 2)),
    'bgr8': (3, (2, 1, 0)),
    'rgba8': (4, (0, 1, 2)),
    'bgra8': (4, (2, 1, 0)),
    'mono8': (1, (0, 0, 0)),
}
# Two bytes a pixel, colour for every second one; names of sensor_msgs/image_encodings.hpp.
YUV_ENCODINGS: dict[str, int] = {
    'yuyv': cv2.COLOR_YUV2RGB_YUY2,
    'yuv422_yuy2': cv2.COLOR_YUV2RGB_YUY2,
    'uyvy': cv2.COLOR_YUV2RGB_UYVY,
    'yuv422': cv2.COLOR_YUV2RGB_UYVY,
}
LARGEST_SIDE_PX = 8192


def rgb_from_bytes(
    data: NDArray[np.uint8] | bytes, width: int, height: int, step: int, encoding: str, frame: str
) -> NDArray[np.uint8]:
    """(height, width, 3) RGB; a copy only where the encoding needs one. ``frame``: for errors.

    Raises:
        CameraError: unknown encoding, or the sizes contradict each other.
    """
    if encoding in YUV_ENCODINGS:
        rows = rows_from_bytes(data, width, height, step, 2, encoding)
        if width % 2:
            raise CameraError(
                f'CAMERA_FORMAT: {encoding} of an odd width, {width}; look at {frame}'
            )
        rgb = cv2.cvtColor(rows.reshape(height, width, 2), YUV_ENCODINGS[encoding])
        return np.asarray(rgb, np.uint8)
    if encoding not in COLOUR_ENCODINGS:
        raise CameraError(
            f'CAMERA_FORMAT: encoding {encoding!r} of {frame} is not understood; set the camera '
            f'to one of {", ".join((*COLOUR_ENCODINGS, *YUV_ENCODINGS))}'
        )
    channels, order = COLOUR_ENCODINGS[encoding]
    rows = rows_from_bytes(data, width, height, step, channels, encoding)
    pixels = rows.reshape(height, width, channels)
    return pixels if encoding == 'rgb8' else np.ascontiguousarray(pixels[..., order])


def rows_from_bytes(
    data: NDArray[np.uint8] | bytes,
    width: int,
    height: int,
    step: int,
    bytes_per_pixel: int,
    encoding: str,
) -> NDArray[np.uint8]:
    """(height, width * bytes per pixel), padding at the ends of the rows cut off.

    Raises:
        CameraError: the sizes contradict each other.
    """
    used = width * bytes_per_pixel
    is_sized = 0 < height <= LARGEST_SIDE_PX and 0 < width <= LARGEST_SIDE_PX
    if not is_sized or step < used or len(data) != step * height:
        raise CameraError(
            f'CAMERA_FORMAT: {len(data)} bytes, step {step} do not make a picture '
            f'of {width} x {height} {encoding}; look at the camera driver'
        )
    return np.frombuffer(data, np.uint8).reshape(height, step)[:, :used]
