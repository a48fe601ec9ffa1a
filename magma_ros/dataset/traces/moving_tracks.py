"""Which tracks of a window are foreground, which are background, and which are not believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.dataset.traces.camera_motion import (
    find_homographies,
    is_camera_moving,
    mean_steps,
    warp,
)
from magma_ros.dataset.traces.neighbour_check import moves_like_neighbours
from magma_ros.dataset.traces.surface_check import is_on_moving_surface
from magma_ros.dataset.traces.trace_settings import TraceSettings
from magma_ros.dataset.traces.tracker import TrackWindow
from magma_ros.model.text.trace_text import GRID


@dataclass(frozen=True)
class SortedTracks:
    """Tracks in cells of the start frame, the camera's motion removed; NaN where not seen."""

    foreground: FloatArray  # (T, n, 2)
    background: FloatArray  # (T, m, 2)
    is_camera_moving: bool
    dropped: Mapping[str, int]  # reason -> tracks


def sort_tracks(window: TrackWindow, settings: TraceSettings) -> SortedTracks:
    """Magma's order: visible, camera motion, mean step; then what only looks like motion goes."""
    height, width = window.frames[0].shape[:2]
    tracks = window.points_px * [GRID / width, GRID / height]
    dropped: dict[str, int] = {}
    is_seen = np.isfinite(tracks[..., 0])
    is_lost = ~is_seen[0] | (is_seen.mean(axis=0) <= settings.visible_share)
    dropped['lost from sight'] = int(is_lost.sum())
    tracks = tracks[:, ~is_lost]
    is_moving = is_camera_moving(tracks, settings)
    if is_moving:
        homographies = find_homographies(tracks, settings)
        dropped['frames without a homography'] = len(tracks) - len(homographies)
        tracks = np.stack(
            # Frames behind the last homography are left out.
            [
                warp(points, homography)
                for points, homography in zip(tracks, homographies, strict=False)
            ]
        )
    else:
        homographies = np.broadcast_to(np.eye(3), (len(tracks), 3, 3))
    is_foreground = mean_steps(tracks) > settings.foreground_step
    foreground, background = tracks[:, is_foreground], tracks[:, ~is_foreground]
    frames = window.frames[: len(tracks)]
    is_on_it = is_on_moving_surface(foreground, homographies, frames, settings)
    dropped['beside what moves'] = int((~is_on_it).sum())
    foreground = foreground[:, is_on_it]
    is_alike = moves_like_neighbours(foreground, settings)
    dropped['unlike its neighbours'] = int((~is_alike).sum())
    return SortedTracks(foreground[:, is_alike], background, is_moving, dropped)
