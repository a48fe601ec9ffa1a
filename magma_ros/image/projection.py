"""Points in the base frame to pixels."""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import CameraModel, FloatArray
from magma_ros.rotations import apply_to_points, inverse

NEAREST_M = 0.01  # in front of the camera; what is nearer has no place in the picture


def project(camera: CameraModel, points_in_base_m: FloatArray) -> FloatArray:
    """(n, 3) points in the base frame -> (n, 2) pixels, which may lie outside of the picture.

    Points behind the camera become NaN.
    """
    points, depth = _in_camera(camera, points_in_base_m)
    return np.stack(
        [
            camera.centre_x_px + camera.focal_x_px * points[:, 0] / depth,
            camera.centre_y_px + camera.focal_y_px * points[:, 1] / depth,
        ],
        axis=1,
    )


def metres_per_pixel(camera: CameraModel, points_in_base_m: FloatArray) -> FloatArray:
    """(n, 3) points in the base frame -> (n,) what a pixel spans there, across the line of sight.

    NaN for points behind the camera.
    """
    _, depth = _in_camera(camera, points_in_base_m)
    return depth * 2.0 / (camera.focal_x_px + camera.focal_y_px)


def _in_camera(camera: CameraModel, points_in_base_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, 3) in the optical frame, and (n,) depths; NaN where they are behind the camera."""
    points = apply_to_points(inverse(camera.pose_camera_in_base), np.atleast_2d(points_in_base_m))
    return points, np.where(points[:, 2] > NEAREST_M, points[:, 2], np.nan)
