from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from moving_patch import HEIGHT, STEP_CELLS, WIDTH, film, is_inside_patch

from magma_ros.dataset.traces.camera_motion import find_homographies, is_camera_moving, warp
from magma_ros.dataset.traces.lucas_kanade import LucasKanadeTracker
from magma_ros.dataset.traces.moving_tracks import SortedTracks, sort_tracks
from magma_ros.dataset.traces.neighbour_check import moves_like_neighbours
from magma_ros.dataset.traces.surface_check import is_on_moving_surface
from magma_ros.dataset.traces.trace_settings import ROBOT, TraceSettings
from magma_ros.errors import ConfigurationError


def first_window(pan_px: int, settings: TraceSettings = ROBOT) -> SortedTracks:
    return sort_tracks(next(LucasKanadeTracker().windows(film(16, pan_px), 16)), settings)


@pytest.mark.parametrize('pan_px', [0, 5])
def test_what_moves_is_found_whether_the_camera_moves_or_not(pan_px: int) -> None:
    tracks = first_window(pan_px)
    assert tracks.is_camera_moving == (pan_px > 0)
    assert tracks.foreground.shape[1] >= 10
    assert is_inside_patch(tracks.foreground[0]).mean() > 0.95
    errors = tracks.foreground[8] - tracks.foreground[0] - 8 * STEP_CELLS
    assert np.nanquantile(np.linalg.norm(errors, axis=1), 0.9) < 2.0
    assert not is_inside_patch(tracks.background[0], margin_px=12).any()


def test_a_camera_said_to_stand_still_is_left_alone() -> None:
    tracks = first_window(5, replace(ROBOT, camera='still'))
    assert not tracks.is_camera_moving
    assert tracks.foreground.shape[1] > 50  # the ground moves, too


def test_reasons_are_counted() -> None:
    tracks = first_window(0)
    window = next(LucasKanadeTracker().windows(film(16), 16))
    kept = tracks.foreground.shape[1] + tracks.background.shape[1]
    assert kept + sum(tracks.dropped.values()) == window.points_px.shape[1]
    assert tracks.dropped['beside what moves'] > 0


def test_a_homography_takes_a_turning_camera_out() -> None:
    random = np.random.default_rng(3)
    start = random.uniform(20, 236, (60, 2))
    turn = np.array([[0.99, -0.08, 7.0], [0.07, 1.01, -4.0], [1e-4, -2e-4, 1.0]])
    later = warp(start, turn)
    later[:6] += 15.0  # they move on their own
    tracks = np.stack([start, later])
    homographies = find_homographies(tracks, ROBOT)
    back = warp(later, homographies[1])
    assert np.linalg.norm(back[6:] - start[6:], axis=1).max() < 0.1
    assert np.linalg.norm(back[:6] - start[:6], axis=1).min() > 10.0
    assert is_camera_moving(tracks, ROBOT)


def test_frames_that_show_too_little_end_the_window() -> None:
    tracks = np.random.default_rng(0).uniform(0, 255, (5, 12, 2))
    tracks[3, 2:] = np.nan
    assert len(find_homographies(tracks, ROBOT)) == 3


def test_warped_points_that_are_nowhere_are_nan() -> None:
    horizon = np.array([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]])
    found = warp(np.array([[10.0, 10.0], [99.99, 5.0], [200.0, 5.0], [np.nan, 1.0]]), horizon)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()


def test_ground_beside_a_moving_edge_is_not_what_moves() -> None:
    frames, tracks = [], []
    for frame in range(12):
        picture = np.full((HEIGHT, WIDTH, 3), 160, np.uint8)
        cv2.rectangle(picture, (40 + 8 * frame, 60), (100 + 8 * frame, 120), (30, 40, 50), -1)
        frames.append(picture)
        # On it, just inside of its edge, just outside, all carried along.
        pixels = np.array([[70.0, 90.0], [42.0, 90.0], [36.0, 90.0]]) + [8 * frame, 0]
        tracks.append(pixels * [256 / WIDTH, 256 / HEIGHT])
    homographies = np.broadcast_to(np.eye(3), (12, 3, 3))
    found = is_on_moving_surface(np.stack(tracks), homographies, frames, ROBOT)
    assert found.tolist() == [True, True, False]


def test_the_one_that_goes_its_own_way_is_found() -> None:
    start = np.array([[x, y] for x in (50.0, 60.0, 70.0) for y in (80.0, 90.0, 100.0)])
    angle = 0.05
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tracks = [start]
    for _ in range(9):
        tracks.append((tracks[-1] - 60.0) @ turn.T + 63.0)
    moved = np.stack(tracks)
    assert moves_like_neighbours(moved, ROBOT).all()
    moved[:, 4] += np.linspace(0, 12, 10)[:, None]
    found = moves_like_neighbours(moved, ROBOT)
    assert not found[4]
    assert not moves_like_neighbours(moved[:, :3], ROBOT).any()  # too few to tell


@pytest.mark.parametrize(
    'wrong', [{'horizon': 1}, {'foreground_clusters': (0, 2)}, {'background_clusters': (5, 4)}]
)
def test_settings_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(ConfigurationError):
        TraceSettings(**wrong)
