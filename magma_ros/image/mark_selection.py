"""Where the marks of a picture go: on a grid, on the gripper, where a person clicked, on segments.

Each function gives number -> (x, y) in pixels, numbers from 1. No mark lies outside of the
picture, and no two overlap when they are drawn (``mark_drawing.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import CameraModel, FloatArray
from magma_ros.image.mark_drawing import mark_radius_px
from magma_ros.image.projection import project

Marks = dict[int, FloatArray]
MOST_MARKS = 50  # Magma's demo allows as many
SEGMENT_WIDTH_PX = 240  # the picture is segmented at this width
SPACE_PX, COLOUR_STEP = 6, 14  # of the mean shift (OpenCV): window in space and in colour
FILL_STEP = 3  # neighbours that differ by less belong to one segment
FILLING, FILLED = 2, 1  # in the mask of the flood
SEGMENT_SHARES = (0.0008, 0.15)  # of the picture: smaller is noise, larger is what things lie on


def grid_marks(width_px: int, height_px: int, columns: int, rows: int) -> Marks:
    """The middles of the cells, by rows; fewer where they would overlap."""
    xs = (np.arange(columns) + 0.5) * width_px / columns
    ys = (np.arange(rows) + 0.5) * height_px / rows
    return keep_apart(((x, y) for y in ys for x in xs), width_px, height_px)


def gripper_marks(camera: CameraModel, gripper_in_base_m: FloatArray) -> Marks:
    """One mark on the tool centre point; none when the camera does not see it."""
    return keep_apart(project(camera, gripper_in_base_m), camera.width_px, camera.height_px)


def clicked_marks(clicks_px: Sequence[FloatArray], width_px: int, height_px: int) -> Marks:
    """What a person clicked, oldest first; a click on top of an older one replaces it."""
    kept = keep_apart(reversed(clicks_px), width_px, height_px)
    return {number: place for number, place in enumerate(reversed(kept.values()), start=1)}


def segment_marks(rgb: NDArray[np.uint8], most: int = 12) -> Marks:
    """The innermost points of the largest segments of even colour, larger ones first.

    Mean shift evens the colours out, flood filling makes segments of them: no weights, and always
    the same marks for a picture.
    """
    height_px, width_px = rgb.shape[:2]
    scale = min(1.0, SEGMENT_WIDTH_PX / width_px)
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    even = cv2.pyrMeanShiftFiltering(small, SPACE_PX, COLOUR_STEP).astype(np.uint8)
    places = [_innermost(segment) for segment in _segments(even)]
    stretch = np.array([width_px / size[0], height_px / size[1]])
    return keep_apart((place * stretch for place in places), width_px, height_px, most)


def keep_apart(
    places_px: Iterable[Sequence[float] | FloatArray],
    width_px: int,
    height_px: int,
    most: int = MOST_MARKS,
) -> Marks:
    """The places that can be marks, numbered; of two that would overlap the first."""
    apart_px = 2.0 * mark_radius_px(width_px)
    kept: list[FloatArray] = []
    for place in places_px:
        point = np.asarray(place, dtype=float)
        is_inside = bool(((point >= 0.0) & (point < [width_px, height_px])).all())
        if is_inside and all(np.linalg.norm(point - other) >= apart_px for other in kept):
            kept.append(point)
        if len(kept) == most:
            break
    return dict(enumerate(kept, start=1))


def _segments(even: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Masks of the segments whose size is within bounds, larger ones first."""
    height, width = even.shape[:2]
    fewest, most = (share * height * width for share in SEGMENT_SHARES)
    filled = np.zeros((height + 2, width + 2), np.uint8)  # OpenCV wants a rim
    inner = filled[1:-1, 1:-1]
    found: list[tuple[int, NDArray[np.uint8]]] = []
    for y, x in np.ndindex(height, width):
        if inner[y, x]:
            continue
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | (FILLING << 8)
        area, _, _, (left, top, columns, rows) = cv2.floodFill(
            even, filled, (x, y), (0, 0, 0), (FILL_STEP,) * 3, (FILL_STEP,) * 3, flags
        )
        if fewest <= area <= most:
            found.append((area, (inner == FILLING).astype(np.uint8)))
        part = inner[top : top + rows, left : left + columns]
        part[part == FILLING] = FILLED
    found.sort(key=lambda one: -one[0])
    return [mask for _, mask in found]


def _innermost(mask: NDArray[np.uint8]) -> FloatArray:
    """(x, y) of the point furthest from the rim of a segment: a centroid may lie outside of it."""
    padded = np.pad(mask, 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return np.array([x + 0.5, y + 0.5])
