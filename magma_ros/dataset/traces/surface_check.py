"""Is a point on the thing that moves, or on the ground beside its edge?

Lucas-Kanade follows the contrast in its window. A point on even ground just outside of a moving
arm is carried along by the arm's edge, and no check of the flow notices. What does: wherever a
thing is, the picture must differ from what is seen at that place when the thing is elsewhere. That
is taken to be the median over the window, in which the camera's motion has been removed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray
from magma_ros.dataset.traces.camera_motion import warp
from magma_ros.dataset.traces.trace_settings import TraceSettings
from magma_ros.dataset.traces.tracker import Picture
from magma_ros.model.text.trace_text import GRID


def is_on_moving_surface(
    tracks: FloatArray,
    homographies: FloatArray,
    frames: Sequence[Picture],
    settings: TraceSettings,
) -> NDArray[np.bool_]:
    """(n,) for tracks (T, n, 2) in cells of the first frame.

    Args:
        tracks: with the camera's motion removed; NaN where not seen.
        homographies: (T, 3, 3), from each frame to the first.
        frames: T pictures.
        settings: contrast, contrast_share, inset.
    """
    length, count = tracks.shape[:2]
    inset = settings.inset * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    around = (tracks[0, :, None] + inset).reshape(-1, 2)
    seen = np.isfinite(tracks[..., 0])
    along = np.where(seen[..., None], tracks, tracks[0]).reshape(-1, 2)
    places = np.concatenate([along, around])
    colours = np.stack(
        [
            _colours(frame, warp(places, np.linalg.inv(homography)))
            for frame, homography in zip(frames, homographies, strict=True)
        ]
    )
    when = np.concatenate([np.repeat(np.arange(length), count), np.zeros(4 * count, int)])
    own = colours[when, np.arange(len(places))]
    differs = np.abs(own - np.median(colours, axis=0)).max(axis=1) > settings.contrast
    differs_along = differs[: length * count].reshape(length, count)
    differs_around = differs[length * count :].reshape(count, 4).all(axis=1)
    share = (differs_along & seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return differs_along[0] & differs_around & (share >= settings.contrast_share)


def _colours(frame: Picture, cells: FloatArray) -> FloatArray:
    """(n, 3) colours at places in cells; outside, those of the nearest pixel of the edge."""
    height, width = frame.shape[:2]
    pixels = np.nan_to_num(cells * [width / GRID, height / GRID]).astype(int)
    column, row = np.clip(pixels, 0, [width - 1, height - 1]).T
    return frame[row, column].astype(float)
