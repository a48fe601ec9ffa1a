from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.image.trace_distance import SAMPLES, trace_distance

LINE = np.stack([np.linspace(0.0, 300.0, 7), np.full(7, 50.0)], axis=1)
CORNER = np.array([[0.0, 0.0], [200.0, 0.0], [200.0, 200.0]])
paths = st.lists(
    st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000)), min_size=1, max_size=12
).map(np.array)


def distance(predicted, executed, metres_per_px=0.002):
    return trace_distance(predicted, executed, np.full(len(executed), metres_per_px))


def test_the_same_way_has_no_distance() -> None:
    assert distance(CORNER, CORNER).px == pytest.approx(0.0, abs=1e-9)


def test_a_way_beside_the_trace() -> None:
    found = distance(LINE, LINE + [0.0, 12.0])

    assert found.px == pytest.approx(12.0)
    assert found.mm == pytest.approx(24.0)


def test_a_way_that_is_not_finished_is_no_distance() -> None:
    spacing = 300.0 / (SAMPLES - 1)
    half = np.stack([np.linspace(0.0, 150.0, 5), np.full(5, 50.0)], axis=1)

    assert distance(LINE, half).px < spacing / 2
    assert distance(LINE, half[:1]).px == 0.0  # it has not moved yet


def test_the_wrong_order_is_a_distance() -> None:
    there_and_back = np.vstack([LINE, LINE[::-1]])

    assert distance(LINE, there_and_back).px > 40.0
    assert distance(LINE, LINE[::-1]).px > 50.0  # though every point lies on the trace


def test_what_the_camera_did_not_see_is_left_out() -> None:
    executed = np.vstack([LINE[:3], [[np.nan, np.nan]], LINE[3:]])

    assert distance(LINE, executed).px == pytest.approx(0.0, abs=1e-9)
    assert distance(LINE, executed[3:4]) is None
    assert distance(np.empty((0, 2)), LINE) is None


def test_a_far_gripper_makes_more_metres_of_a_pixel() -> None:
    found = trace_distance(LINE, LINE + [0.0, 10.0], np.linspace(0.001, 0.003, len(LINE)))

    assert found.mm == pytest.approx(20.0, rel=0.02)


@settings(deadline=None, max_examples=15)
@given(paths, paths, st.floats(-500, 500), st.floats(0, 6.3))
def test_where_the_picture_begins_does_not_matter(one, other, shift, angle) -> None:
    before = distance(one, other)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    after = distance(one @ turn + shift, other @ turn + shift)

    assert before.px >= 0.0
    furthest = np.linalg.norm(one[:, None] - other[None], axis=2).max()
    assert before.px <= furthest + 1e-6
    assert after.px == pytest.approx(before.px, rel=1e-3, abs=1e-3)


@settings(deadline=None, max_examples=15)
@given(paths, st.floats(-50, 50), st.floats(-50, 50))
def test_a_shifted_way_is_at_most_that_far(path, x, y) -> None:
    assert distance(path, path + [x, y]).px <= np.hypot(x, y) + 1e-6
