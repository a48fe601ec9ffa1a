"""Lifts a trace in the picture to a path in the base frame, with aligned depth.

Only the points where something happens are lifted: those with a gripper event, and the last one.
They lie on surfaces, so depth knows where they are; the points between are in the air, where it
does not. Around a point to grasp, the block under it is measured: its centre and its yaw.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magma_ros.data_types import (
    CameraModel,
    DepthImage,
    FloatArray,
    GripperEvent,
    GuidedPath,
    PixelTrace,
    is_push,
)
from magma_ros.errors import CameraError
from magma_ros.rotations import apply_to_points

WINDOW_PX = 7  # side of the square whose median depth is taken
SEARCH_M = 0.010  # how far beside a block a point may lie and still mean it
BLOCK_REACH_M = 0.024  # points this close to its nearest point belong to a block
RAISED_M = (0.012, 0.080)  # heights above the table of what can be grasped
TOP_LAYER_M = 0.005  # points this close to the highest belong to the top face
FEWEST_POINTS = 25
PUSH_LANE_M = 0.030


@dataclass(frozen=True)
class Block:
    """Something raised above the table."""

    centre_m: FloatArray  # (3,) of its top face, base frame
    yaw_rad: float  # of its edges about base z, within +-45 degrees


def lift_trace(trace: PixelTrace, depth: DepthImage, camera: CameraModel) -> GuidedPath:
    """The points of ``trace`` at which something happens, in the base frame.

    Raises:
        CameraError: there is no depth reading at such a point, or depth has another size than the
            picture.
    """
    if depth.depth_m.shape != (camera.height_px, camera.width_px):
        raise CameraError(
            f'depth is {depth.depth_m.shape[::-1]} but colour '
            f'{camera.width_px}x{camera.height_px}: switch on align_depth in the camera driver'
        )
    last = len(trace.points_px) - 1
    contacts = sorted({*trace.events, last})
    cloud = deproject(depth, camera)
    points = [_surface_point(cloud, trace.points_px[index]) for index in contacts]
    events = {
        place: trace.events[index] for place, index in enumerate(contacts) if index in trace.events
    }
    yaws = np.zeros(len(points))
    if is_push(events, len(points)) and len(points) >= 2:
        points = _aim_push(cloud, points)
    else:
        for place, point in enumerate(points):
            if events.get(place) is not GripperEvent.OPEN:
                block = find_block(cloud, point)
                if block is not None:
                    points[place], yaws[place] = block.centre_m, block.yaw_rad
    return GuidedPath(np.stack(points), events, yaws)


def deproject(depth: DepthImage, camera: CameraModel) -> FloatArray:
    """Depth picture -> (height, width, 3) points in the base frame; NaN where depth is missing."""
    rows, columns = np.indices(depth.depth_m.shape)
    z = np.where(depth.depth_m > 0, depth.depth_m, np.nan).astype(float)
    x = (columns + 0.5 - camera.centre_x_px) / camera.focal_x_px * z
    y = (rows + 0.5 - camera.centre_y_px) / camera.focal_y_px * z
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return apply_to_points(camera.pose_camera_in_base, points).reshape(*z.shape, 3)


def find_block(cloud: FloatArray, near_m: FloatArray, search_m: float = SEARCH_M) -> Block | None:
    """The raised thing nearest to a point (horizontally), within ``search_m``; or None."""
    flat = cloud.reshape(-1, 3)
    flat = flat[np.isfinite(flat).all(axis=1)]
    raised = flat[(flat[:, 2] > RAISED_M[0]) & (flat[:, 2] < RAISED_M[1])]
    away = np.hypot(*(raised - near_m)[:, :2].T)
    if not (away < search_m).any():
        return None
    nearest = raised[np.argmin(away)]
    seeds = raised[np.hypot(*(raised - nearest)[:, :2].T) < BLOCK_REACH_M]
    if len(seeds) < FEWEST_POINTS:
        return None
    top = np.percentile(seeds[:, 2], 95)
    middle = np.median(seeds[seeds[:, 2] > top - TOP_LAYER_M], axis=0)
    face = raised[
        (np.abs(raised[:, 2] - top) < TOP_LAYER_M)
        & (np.hypot(*(raised - middle)[:, :2].T) < 0.035)
    ]
    if len(face) < FEWEST_POINTS:
        return None
    (x, y), _, angle_deg = cv2.minAreaRect((face[:, :2] * 1000).astype(np.float32))
    quarter = np.pi / 2
    yaw = (np.deg2rad(angle_deg) + quarter / 2) % quarter - quarter / 2
    return Block(np.array([x / 1000, y / 1000, top]), float(yaw))


def _surface_point(cloud: FloatArray, point_px: FloatArray) -> FloatArray:
    height, width, _ = cloud.shape
    x, y = (
        int(np.clip(v, 0, size - 1)) for v, size in zip(point_px, (width, height), strict=True)
    )
    half = WINDOW_PX // 2
    window = cloud[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1].reshape(-1, 3)
    window = window[np.isfinite(window).all(axis=1)]
    if len(window) == 0:
        raise CameraError(
            f'no depth within {half} px of ({x}, {y}): move the camera or the object, '
            'or ask without path mode'
        )
    return np.median(window, axis=0)


def _aim_push(cloud: FloatArray, points: list[FloatArray]) -> list[FloatArray]:
    """Shift a push sideways, so that it goes through the middle of the block in its way."""
    start, end = points[0].copy(), points[-1].copy()
    way = (end - start)[:2]
    along = way / max(float(np.linalg.norm(way)), 1e-9)
    block = find_block(cloud, np.array([*(start[:2] + along * 0.05), 0.0]), search_m=0.035)
    if block is None:
        return points
    across = np.array([-along[1], along[0]])
    offset = float((block.centre_m[:2] - start[:2]) @ across)
    if abs(offset) < PUSH_LANE_M:
        start[:2] += offset * across
        end[:2] += offset * across
        behind = float((block.centre_m[:2] - start[:2]) @ along)
        start[:2] += (behind - 0.05) * along
    return [start, *points[1:-1], end]
