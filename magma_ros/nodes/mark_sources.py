"""Which marks somebody wants in a picture, by the name of a parameter."""

from __future__ import annotations

import threading
from collections import deque
from typing import Literal, get_args

import numpy as np
from geometry_msgs.msg import PointStamped
from rclpy.node import Node

from magma_ros.data_types import FloatArray, Observation
from magma_ros.image.mark_selection import (
    MOST_MARKS,
    Marks,
    clicked_marks,
    grid_marks,
    gripper_marks,
    segment_marks,
)
from magma_ros.ros import topics

MarkSource = Literal['grid', 'gripper', 'clicks', 'segments']
MARK_SOURCES: tuple[MarkSource, ...] = get_args(MarkSource)
TraceMarks = Literal['model', 'grid', 'gripper', 'clicks', 'segments']  # model: its own
TRACE_MARKS: tuple[TraceMarks, ...] = get_args(TraceMarks)
GRID = (4, 3)  # columns and rows


class MarkSources:
    """Hears the clicks; chooses the marks. Callable from any thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clicks: deque[tuple[str, FloatArray]] = deque(maxlen=MOST_MARKS)
        self._lock = threading.Lock()
        self._subscription = topics.CLICKED_POINT.subscribe(node, self._on_click)

    def close(self) -> None:
        """Hear nothing more."""
        self._node.destroy_subscription(self._subscription)

    def choose(self, source: MarkSource, seen: Observation) -> Marks:
        """The marks of a picture, number -> (x, y); none is a possible answer."""
        camera, image = seen.camera, seen.image
        if source == 'grid':
            return grid_marks(camera.width_px, camera.height_px, *GRID)
        if source == 'gripper':
            return gripper_marks(camera, seen.arm.pose_gripper_in_base.translation_m)
        if source == 'segments':
            return segment_marks(image.rgb)
        with self._lock:
            clicks = [place for frame_id, place in self._clicks if frame_id == image.frame_id]
        return clicked_marks(clicks, camera.width_px, camera.height_px)

    def _on_click(self, message: PointStamped) -> None:
        """A click beside the picture takes all clicks back."""
        place = np.array([message.point.x, message.point.y])
        with self._lock:
            if (place >= 0.0).all():
                self._clicks.append((message.header.frame_id, place))
            elif (place < 0.0).any():
                self._clicks.clear()
