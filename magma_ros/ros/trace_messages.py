"""What the model drew, for people to see: markers, a path in space, a picture."""

from __future__ import annotations

import array

import cv2
import numpy as np
from geometry_msgs.msg import Point, PoseStamped
from nav_msgs.msg import Path
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import ImageMarker

from magma_ros.data_types import (
    CameraImage,
    FloatArray,
    GripperEvent,
    GuidedPath,
    PixelTrace,
)
from magma_ros.errors import CameraError
from magma_ros.image.trace_overlay import draw_overlay
from magma_ros.ros.time_stamps import stamp_from_ns

LINE_PX = 3
JPEG_QUALITY = 80
TRACE_RGB = (1.0, 0.55, 0.0)
EVENT_RGB = {GripperEvent.CLOSE: (0.0, 0.0, 1.0), GripperEvent.OPEN: (1.0, 0.0, 0.0)}  # HAMSTER's


def trace_to_message(trace: PixelTrace, image: CameraImage) -> ImageMarker:
    """A line through the start and the future positions; points with events have their colour."""
    points = _points_px(trace)
    colours = [TRACE_RGB] + [
        EVENT_RGB[trace.events[index]] if index in trace.events else TRACE_RGB
        for index in range(len(trace.points_px))
    ]
    message = ImageMarker(ns='magma', id=trace.mark, type=ImageMarker.LINE_STRIP, scale=LINE_PX)
    message.header = _header(image.stamp_ns, image.frame_id)
    message.outline_color = _colour(TRACE_RGB)
    message.points = [Point(x=float(x), y=float(y)) for x, y in points]
    message.outline_colors = [_colour(rgb) for rgb in colours]
    return message


def path_to_message(path: GuidedPath, stamp_ns: int, frame_id: str) -> Path:
    """The lifted path; each pose is turned about base z by its yaw."""
    message = Path(header=_header(stamp_ns, frame_id))
    turns = Rotation.from_rotvec(np.outer(path.yaw_rad, [0.0, 0.0, 1.0])).as_quat()
    for point, turn in zip(path.points_in_base_m, turns, strict=True):
        pose = PoseStamped(header=message.header)
        position, orientation = pose.pose.position, pose.pose.orientation
        position.x, position.y, position.z = point.tolist()
        orientation.x, orientation.y, orientation.z, orientation.w = turn.tolist()
        message.poses.append(pose)
    return message


def overlay_message(
    image: CameraImage,
    traces: list[PixelTrace],
    executed_px: FloatArray | None = None,
    status: str = '',
) -> CompressedImage:
    """The picture with the traces, where the gripper has been and a line of text, as JPEG.

    Raises:
        CameraError: the picture cannot be encoded.
    """
    canvas = draw_overlay(image.rgb, traces, executed_px, status=status)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    is_done, jpeg = cv2.imencode('.jpg', canvas[..., ::-1], quality)
    if not is_done:
        raise CameraError(f'picture {canvas.shape} cannot be written as JPEG; look at the camera')
    message = CompressedImage(header=_header(image.stamp_ns, image.frame_id), format='jpeg')
    message.data = array.array('B', jpeg.tobytes())
    return message


def _points_px(trace: PixelTrace) -> NDArray[np.float64]:
    return np.vstack([trace.start_px, trace.points_px.reshape(-1, 2)])


def _header(stamp_ns: int, frame_id: str) -> Header:
    return Header(stamp=stamp_from_ns(stamp_ns), frame_id=frame_id)


def _colour(rgb: tuple[float, float, float]) -> ColorRGBA:
    return ColorRGBA(r=rgb[0], g=rgb[1], b=rgb[2], a=1.0)
