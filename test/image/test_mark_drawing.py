from __future__ import annotations

import numpy as np
import pytest

from magma_ros.image.mark_drawing import draw_marks

GREY = np.full((480, 640, 3), 128, np.uint8)


def is_red(picture: np.ndarray) -> np.ndarray:
    return (picture == (255, 0, 0)).all(axis=2)


def test_a_disc_with_digits_is_where_the_mark_is() -> None:
    picture = draw_marks(GREY, {7: np.array([200.0, 120.0])})
    rows, columns = np.nonzero((picture != GREY).any(axis=2))
    assert (columns.min() + columns.max()) / 2 == pytest.approx(200, abs=1)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(120, abs=1)
    assert is_red(picture).any()
    assert (picture[rows, columns] > 250).all(axis=1).any()  # white digits
    assert (GREY == 128).all()


def test_digits_grow_with_the_picture() -> None:
    def height(width_px: int) -> int:
        grey = np.full((width_px, width_px, 3), 128, np.uint8)
        middle = {55: np.array([width_px / 2, width_px / 2])}
        return int(np.ptp(np.nonzero(is_red(draw_marks(grey, middle)))[0]))

    assert height(1280) == pytest.approx(2 * height(640), rel=0.25)
    assert height(640) >= 0.03 * 640


@pytest.mark.parametrize('place', [(-50.0, 10.0), (1e9, 1e9), (-1e9, 0.0)])
def test_marks_outside_leave_the_picture_alone(place: tuple[float, float]) -> None:
    assert np.array_equal(draw_marks(GREY, {1: np.array(place)}), GREY)


def test_no_marks_no_change() -> None:
    assert np.array_equal(draw_marks(GREY, {}), GREY)
