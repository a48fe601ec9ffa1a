from __future__ import annotations

import numpy as np
import pytest
from moving_patch import HEIGHT, WIDTH, film, patch_corner

from magma_ros.dataset.traces.lucas_kanade import GRID, LucasKanadeTracker


@pytest.fixture(scope='module')
def windows() -> list:
    return list(LucasKanadeTracker().windows(film(12), 8))


def test_every_frame_has_a_window_and_the_last_ones_are_short(windows: list) -> None:
    assert [len(window.frames) for window in windows] == [8, 8, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1]
    assert all(len(window.points_px) == len(window.frames) for window in windows)


def test_every_cell_has_a_point_to_begin_with(windows: list) -> None:
    for window in windows:
        assert np.isfinite(window.points_px[0]).all()
        column, row = (window.points_px[0] / [WIDTH / GRID, HEIGHT / GRID]).astype(int).T
        assert len(set(zip(column, row, strict=True))) == GRID**2


def test_points_go_where_their_surface_goes(windows: list) -> None:
    points = windows[2].points_px
    inside = points[0] - patch_corner(2)
    on_patch = ((inside > 10) & (inside < 50)).all(axis=1)
    moved = points[7] - points[0]
    kept = np.isfinite(moved[:, 0])
    assert (on_patch & kept).sum() >= 15
    errors = np.linalg.norm(moved[on_patch & kept] - [28.0, 14.0], axis=1)
    assert np.quantile(errors, 0.9) < 0.3
    far = (np.abs(inside - 30) > 70).any(axis=1)
    assert np.quantile(np.linalg.norm(moved[far & kept], axis=1), 0.9) < 0.1


def test_a_point_that_leaves_the_picture_is_lost() -> None:
    window = next(LucasKanadeTracker().windows(film(9, pan_px=12), 9))
    left = window.points_px[0, :, 0] < 60
    assert left.sum() > 10
    assert np.isnan(window.points_px[-1, left, 0]).mean() > 0.9


@pytest.mark.parametrize('count', [0, 1])
def test_short_films(count: int) -> None:
    assert len(list(LucasKanadeTracker().windows(film(count), 16))) == count


def test_even_ground_gives_points_and_no_motion() -> None:
    grey = [np.full((HEIGHT, WIDTH, 3), 90, np.uint8)] * 3
    for window in LucasKanadeTracker().windows(grey, 3):
        assert window.points_px.shape[1] == GRID**2
        moved = window.points_px - window.points_px[0]
        assert (np.isnan(moved) | (moved == 0)).all()
