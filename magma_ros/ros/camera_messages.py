"""Between camera messages and our picture types: checked sizes, named errors, no repairs."""

from __future__ import annotations

import array
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from magma_ros.data_types import CameraImage, CameraModel, DepthImage, Pose
from magma_ros.errors import CameraError
from magma_ros.image.compressed_picture import rgb_from_compressed
from magma_ros.image.pixel_rows import rgb_from_bytes, rows_from_bytes
from magma_ros.ros.time_stamps import stamp_from_ns, stamp_to_ns

DEPTH_ENCODINGS: dict[str, np.dtype] = {
    '16UC1': np.dtype(np.uint16),
    '32FC1': np.dtype(np.float32),
}
METRES_PER_UNIT = 0.001  # of 16UC1, REP-118


def image_from_message(message: Image) -> CameraImage:
    """A colour picture; the pixels are a copy only where the encoding needs one.

    Raises:
        CameraError: unknown encoding, or the sizes contradict each other.
    """
    rgb = rgb_from_bytes(
        message.data,
        message.width,
        message.height,
        message.step,
        message.encoding,
        message.header.frame_id,
    )
    return CameraImage(rgb, stamp_to_ns(message.header.stamp), message.header.frame_id)


def image_from_compressed(message: CompressedImage) -> CameraImage:
    """A colour picture; what would be too large is refused before it is unpacked.

    Raises:
        CameraError: neither JPEG nor PNG, too large, or damaged.
    """
    rgb = rgb_from_compressed(message.data, message.header.frame_id)
    return CameraImage(rgb, stamp_to_ns(message.header.stamp), message.header.frame_id)


def image_to_message(image: CameraImage) -> Image:
    """A colour picture as rgb8."""
    height, width, _ = image.rgb.shape
    message = Image(height=height, width=width, encoding='rgb8', step=width * 3)
    message.header.stamp = stamp_from_ns(image.stamp_ns)
    message.header.frame_id = image.frame_id
    message.data = _bytes_of(image.rgb)
    return message


def depth_from_message(message: Image) -> DepthImage:
    """Aligned depth: 16UC1 in millimetres or 32FC1 in metres; no reading (0, NaN) becomes 0.

    Raises:
        CameraError: unknown encoding, or the sizes contradict each other.
    """
    if message.encoding not in DEPTH_ENCODINGS:
        raise CameraError(
            f'CAMERA_FORMAT: depth encoding {message.encoding!r} is not understood; '
            f'set the camera to one of {", ".join(DEPTH_ENCODINGS)}'
        )
    order: Literal['<', '>'] = '>' if message.is_bigendian else '<'
    kind: np.dtype = DEPTH_ENCODINGS[message.encoding].newbyteorder(order)
    rows = rows_from_bytes(
        message.data,
        message.width,
        message.height,
        message.step,
        kind.itemsize,
        message.encoding,
    )
    values = np.ascontiguousarray(rows).view(kind)
    if message.encoding == '16UC1':
        depth = values * np.float32(METRES_PER_UNIT)
    else:
        depth = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return DepthImage(depth.astype(np.float32), stamp_to_ns(message.header.stamp))


def depth_to_message(depth: DepthImage, frame_id: str) -> Image:
    """Depth as 16UC1, whole millimetres; what is not finite becomes 0 (no reading)."""
    height, width = depth.depth_m.shape
    message = Image(height=height, width=width, encoding='16UC1', step=width * 2)
    message.header.stamp = stamp_from_ns(depth.stamp_ns)
    message.header.frame_id = frame_id
    known = np.nan_to_num(depth.depth_m, nan=0.0, posinf=0.0, neginf=0.0)
    millimetres = np.clip(np.round(known / METRES_PER_UNIT), 0, 65535).astype('<u2')
    message.data = _bytes_of(millimetres)
    return message


def camera_from_message(message: CameraInfo, pose_camera_in_base: Pose) -> CameraModel:
    """The pinhole part of CameraInfo; the pose comes from elsewhere.

    Raises:
        CameraError: the camera is not calibrated (focal length not above 0).
    """
    focal_x, focal_y = float(message.k[0]), float(message.k[4])
    if not (focal_x > 0 and focal_y > 0):
        raise CameraError(
            f'CAMERA_FORMAT: camera_info of {message.header.frame_id} has focal lengths '
            f'{focal_x}, {focal_y}; calibrate the camera'
        )
    return CameraModel(
        message.width,
        message.height,
        focal_x,
        focal_y,
        float(message.k[2]),
        float(message.k[5]),
        pose_camera_in_base,
    )


def camera_to_message(camera: CameraModel, stamp_ns: int, frame_id: str) -> CameraInfo:
    """CameraInfo of a lens without distortion."""
    message = CameraInfo(
        height=camera.height_px, width=camera.width_px, distortion_model='plumb_bob'
    )
    message.header.stamp = stamp_from_ns(stamp_ns)
    message.header.frame_id = frame_id
    x, y = camera.centre_x_px, camera.centre_y_px
    message.d = [0.0] * 5
    message.k = [camera.focal_x_px, 0.0, x, 0.0, camera.focal_y_px, y, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [camera.focal_x_px, 0.0, x, 0.0, 0.0, camera.focal_y_px, y, 0.0]
    message.p = [*message.p, 0.0, 0.0, 1.0, 0.0]
    return message


def _bytes_of(pixels: NDArray) -> array.array:
    # Anything but array.array costs 20 to 90 ms a picture.
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
    return data
