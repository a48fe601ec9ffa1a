"""A whole trace in the base frame, for people to see: each point on the surface behind it.

A path to be followed is ``depth_lifting.py``'s business; it lifts only where something is touched,
and refuses where depth has a hole.
"""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import CameraModel, DepthImage, FloatArray
from magma_ros.errors import CameraError
from magma_ros.rotations import apply_to_points

WINDOW_PX = 7  # side of the square whose median depth is taken


def lift_points(points_px: FloatArray, depth: DepthImage, camera: CameraModel) -> FloatArray:
    """(n, 2) pixels along a trace -> (n, 3) in the base frame.

    A point without a reading near it, or outside of the picture, gets its depth from its
    neighbours along the trace: between two of them in proportion, beyond the last as that one.

    Raises:
        CameraError: no point has a reading.
    """
    points = np.asarray(points_px, dtype=float).reshape(-1, 2)
    readings = np.array([_depth_at(depth, point) for point in points])
    is_known = readings > 0.0
    if not is_known.any():
        raise CameraError(
            f'CAMERA_FORMAT: no depth within {WINDOW_PX // 2} px of any of {len(points)} points: '
            'look at the depth picture of the camera'
        )
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    z = np.interp(along, along[is_known], readings[is_known])
    x = (points[:, 0] - camera.centre_x_px) / camera.focal_x_px * z
    y = (points[:, 1] - camera.centre_y_px) / camera.focal_y_px * z
    return apply_to_points(camera.pose_camera_in_base, np.column_stack([x, y, z]))


def _depth_at(depth: DepthImage, point_px: FloatArray) -> float:
    """Median of the readings around a point; 0 when there is none."""
    height, width = depth.depth_m.shape
    x, y = point_px
    if not (0.0 <= x < width and 0.0 <= y < height):
        return 0.0
    half = WINDOW_PX // 2
    window = depth.depth_m[
        max(0, int(y) - half) : int(y) + half + 1, max(0, int(x) - half) : int(x) + half + 1
    ]
    readings = window[window > 0.0]
    return float(np.median(readings)) if len(readings) else 0.0
