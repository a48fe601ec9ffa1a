from __future__ import annotations

import numpy as np

from magma_ros.data_types import GripperEvent, PixelTrace
from magma_ros.image.trace_overlay import (
    draw_caption,
    draw_executed,
    draw_overlay,
    draw_trace,
)

BLUE, RED = (0, 0, 255), (255, 0, 0)


def dark(width: int = 640, height: int = 480) -> np.ndarray:
    return np.full((height, width, 3), 40, dtype=np.uint8)


def trace(events: dict[int, GripperEvent] | None = None) -> PixelTrace:
    points = np.array([[300.0, 100.0], [500.0, 100.0]])
    return PixelTrace(1, np.array([100.0, 100.0]), points, events or {})


def colours_near(picture: np.ndarray, x: int, y: int, reach: int) -> set[tuple[int, ...]]:
    patch = picture[y - reach : y + reach + 1, x - reach : x + reach + 1].reshape(-1, 3)
    return {tuple(pixel.tolist()) for pixel in patch}


def test_line_goes_from_blue_to_red() -> None:
    picture = dark()
    draw_trace(picture, trace())
    begin, middle, end = (picture[100, x].astype(int) for x in (110, 300, 488))
    assert begin[2] > 100
    assert begin[0] == 0
    assert middle[1] == 255
    assert end[0] > 100
    assert end[2] == 0
    assert (picture[130] == 40).all()


def test_rings_are_where_the_gripper_acts() -> None:
    picture = dark()
    draw_trace(picture, trace({0: GripperEvent.CLOSE, 1: GripperEvent.OPEN}))
    assert BLUE in colours_near(picture, 300, 107, 1)
    assert RED in colours_near(picture, 500, 107, 1)
    assert BLUE not in colours_near(picture, 500, 107, 1)
    assert (picture[107, 400] == 40).all()


def test_a_trace_without_events_ends_in_a_dot() -> None:
    picture = dark()
    draw_trace(picture, trace())
    assert picture[100, 504].tolist() == picture[103, 500].tolist() == [128, 0, 0]
    assert (picture[107, 500] == 40).all()


def test_drawing_grows_with_the_picture() -> None:
    large = dark(2048, 1536)
    draw_trace(large, trace())
    small = dark()
    draw_trace(small, trace())
    thickness = [int((p[:, 300] != 40).any(axis=1).sum()) for p in (small, large)]
    assert thickness == [5, 9]  # 2 and 6, and the soft edges


def test_a_trace_of_one_point_and_one_far_outside_do_no_harm() -> None:
    picture = dark()
    standing = PixelTrace(2, np.array([50.0, 50.0]), np.array([[50.0, 50.0]]))
    outside = PixelTrace(3, np.array([1e7, -1e7]), np.array([[-1e9, 1e9]]))
    draw_trace(picture, standing)
    draw_trace(picture, outside)
    assert picture.shape == (480, 640, 3)


def test_executed_path_is_broken_where_it_is_unknown() -> None:
    picture = dark()
    nothing = [np.nan, np.nan]
    points = np.array([[10.0, 20.0], [100.0, 20.0], nothing, [200.0, 20.0], [300.0, 20.0]])
    draw_executed(picture, points)
    assert picture[20, 50].min() > 200
    assert picture[20, 250].min() > 200
    assert (picture[20, 150] == 40).all()


def test_no_executed_path_draws_nothing() -> None:
    picture = dark()
    draw_executed(picture, np.empty((0, 2)))
    draw_executed(picture, np.array([[10.0, 20.0]]))
    assert (picture == 40).all()


def test_caption_is_at_the_foot() -> None:
    picture = dark()
    draw_caption(picture, 'put the red cube on the blue plate', 'put, seed 7')
    assert (picture[:400] == 40).all()
    assert picture[-1].max() < 40
    assert picture[430:].max() > 200


def test_long_text_is_cut_at_the_edge() -> None:
    picture = dark()
    draw_caption(picture, 'please ' * 60)
    assert picture[460:, :600].max() > 200
    assert picture[460:, 632:].max() < 40


def test_no_text_leaves_the_picture_alone() -> None:
    picture = dark()
    draw_caption(picture, '', '')
    assert (picture == 40).all()


def test_overlay_is_a_copy() -> None:
    picture = dark()
    drawn = draw_overlay(picture, [trace()], np.array([[0.0, 5.0], [90.0, 5.0]]), 'go', 'now')
    assert (picture == 40).all()
    for row in (5, 100, 460):
        assert (drawn[row] != 40).any()


def test_overlay_of_a_picture_that_must_not_be_written() -> None:
    picture = dark()[:, ::-1]
    picture.flags.writeable = False
    assert draw_overlay(picture, [trace()])[100, 300].tolist() == [124, 255, 132]
