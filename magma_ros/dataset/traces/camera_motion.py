"""Takes the camera's own motion out of tracks: Magma's homographies, one for each later frame.

A homography is exact for a camera that turns, and for a plane; what stands h above that plane at
the distance Z keeps an error of about f * shift * h / (Z * (Z - h)) when the camera shifts.
"""

from __future__ import annotations

import cv2
import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.dataset.traces.trace_settings import TraceSettings

FEWEST_TRACKS = 8  # a homography has 8 unknowns, of which a track gives two: some to spare
FARTHEST_CELLS = 1024.0  # beyond, a warped point is no place any more


def mean_steps(points: FloatArray) -> FloatArray:
    """(T, n, 2) tracks -> (n,) mean distance from one frame to the next, over what is seen."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2)
    seen = np.isfinite(steps)
    return np.where(seen, steps, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)


def is_camera_moving(points: FloatArray, settings: TraceSettings) -> bool:
    """Whether nearly everything moves, or the settings say so. (T, n, 2) in cells."""
    if settings.camera != 'auto' or not points.shape[1]:
        return settings.camera == 'moving'
    return bool((mean_steps(points) > settings.camera_step).mean() > settings.camera_share)


def find_homographies(points: FloatArray, settings: TraceSettings) -> FloatArray:
    """Maps from each frame to the first, (T', 3, 3).

    T' < T when a frame shows too little of what the first one shows.
    """
    found = [np.eye(3)]
    for later in points[1:]:
        seen = np.isfinite(later[:, 0])
        if seen.sum() < FEWEST_TRACKS:
            break
        homography, _ = cv2.findHomography(
            later[seen].astype(np.float32),
            points[0, seen].astype(np.float32),
            cv2.RANSAC,
            settings.homography_cells,
        )
        if homography is None or abs(np.linalg.det(homography)) < 1e-9:
            break
        found.append(homography)
    return np.stack(found)


def warp(points: FloatArray, homography: FloatArray) -> FloatArray:
    """(n, 2) points through a homography; NaN stays NaN, and so becomes what is far outside."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    with np.errstate(divide='ignore', invalid='ignore'):
        places = mapped[:, :2] / np.where(mapped[:, 2:] > 0, mapped[:, 2:], np.nan)
    return np.where(np.abs(places).max(axis=1, keepdims=True) < FARTHEST_CELLS, places, np.nan)
