"""Marks lie inside, apart from each other, and where they are meant to be."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import CameraModel, Pose
from magma_ros.image.mark_drawing import mark_radius_px
from magma_ros.image.mark_selection import (
    MOST_MARKS,
    Marks,
    clicked_marks,
    grid_marks,
    gripper_marks,
    keep_apart,
    segment_marks,
)
from magma_ros.sim.scenario import make_scenario

WIDTH, HEIGHT = 640, 480
sides = st.sampled_from([16, 48, 333, 640, 1999])
places = st.lists(
    st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True))
    | st.tuples(st.floats(-100, 2100), st.floats(-100, 2100)),
    max_size=80,
)


def assert_proper(marks: Marks, width_px: int, height_px: int) -> None:
    assert list(marks) == list(range(1, len(marks) + 1))
    for x, y in marks.values():
        assert 0 <= x < width_px
        assert 0 <= y < height_px
    for one, other in itertools.combinations(marks.values(), 2):
        assert np.linalg.norm(one - other) >= 2 * mark_radius_px(width_px)


@settings(deadline=None, max_examples=25)
@given(sides, sides, st.integers(0, 60), st.integers(0, 60))
def test_a_grid_of_any_size(width_px, height_px, columns, rows) -> None:
    marks = grid_marks(width_px, height_px, columns, rows)

    assert_proper(marks, width_px, height_px)
    assert (len(marks) > 0) == (columns > 0 and rows > 0)
    assert len(marks) <= min(MOST_MARKS, columns * rows)


@settings(deadline=None, max_examples=25)
@given(sides, sides, places)
def test_clicks_anywhere(width_px, height_px, clicks) -> None:
    points = [np.array(click) for click in clicks]

    assert_proper(clicked_marks(points, width_px, height_px), width_px, height_px)
    assert_proper(keep_apart(points, width_px, height_px), width_px, height_px)


def test_a_grid_is_numbered_by_rows() -> None:
    marks = grid_marks(WIDTH, HEIGHT, 4, 3)

    assert len(marks) == 12
    assert marks[1].tolist() == [80.0, 80.0]
    assert marks[2].tolist() == [240.0, 80.0]
    assert marks[12].tolist() == [560.0, 400.0]


def test_a_click_on_top_of_an_older_one_replaces_it() -> None:
    clicks = [np.array(place) for place in ([100.0, 100.0], [300.0, 300.0], [105.0, 100.0])]

    marks = clicked_marks(clicks, WIDTH, HEIGHT)

    assert [place.tolist() for place in marks.values()] == [[300.0, 300.0], [105.0, 100.0]]


def test_the_gripper_is_marked_where_the_camera_sees_it() -> None:
    camera = CameraModel(
        WIDTH, HEIGHT, 600.0, 600.0, 320.0, 240.0, Pose(np.zeros(3), np.eye(4)[3])
    )

    assert gripper_marks(camera, np.array([0.1, 0.0, 1.0]))[1].tolist() == [380.0, 240.0]
    assert gripper_marks(camera, np.array([0.1, 0.0, -1.0])) == {}
    assert gripper_marks(camera, np.array([9.0, 0.0, 1.0])) == {}


@pytest.mark.parametrize('seed', [1, 2, 3])
def test_every_thing_on_the_table_gets_a_mark(world, camera, seed) -> None:
    scenario = make_scenario('put', seed, held_out=False)
    world.reset(scenario.scene)
    camera.place(scenario.scene)
    rgb = camera.render(0).rgb

    marks = segment_marks(rgb)

    assert_proper(marks, WIDTH, HEIGHT)
    colourful = np.ptp(rgb.astype(int), axis=2) > 100  # cubes and plates; table and arm are not
    count, _, stats, _ = cv2.connectedComponentsWithStats(colourful.astype(np.uint8))
    things = [box for box in stats[1:count] if box[cv2.CC_STAT_AREA] > 200]
    assert len(things) >= 3
    for left, top, width, height, _ in things:
        assert any(left <= x < left + width and top <= y < top + height for x, y in marks.values())


def test_segments_are_the_same_each_time_and_not_too_many() -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for index, (row, column) in enumerate(np.ndindex(4, 5)):
        colour = (40 + 10 * index, 255 - 12 * index, (90 * index) % 256)
        top, left = 30 + 110 * row, 30 + 120 * column
        rgb[top : top + 50, left : left + 50] = colour

    marks = segment_marks(rgb)

    assert len(marks) == 12
    again = segment_marks(rgb)
    assert all((marks[number] == again[number]).all() for number in marks)
    assert len(segment_marks(rgb, most=20)) == 20


@pytest.mark.parametrize('shape', [(1, 1), (3, 2000), (480, 640)])
def test_a_flat_picture_has_no_segments(shape) -> None:
    assert segment_marks(np.full((*shape, 3), 128, np.uint8)) == {}
