from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.dataset.traces.marks import FrameLabels, choose_marks, keep_apart
from magma_ros.dataset.traces.moving_tracks import SortedTracks
from magma_ros.dataset.traces.trace_settings import ROBOT

STEPS = np.arange(16)[:, None, None]


def some_tracks(moving: int, still: int, seed: int = 0) -> SortedTracks:
    random = np.random.default_rng(seed)
    speeds = random.uniform(2.5, 5.0, (moving, 2))
    foreground = random.uniform(30, 150, (moving, 2)) + STEPS * speeds
    background = np.repeat(random.uniform(5, 250, (1, still, 2)), 16, axis=0)
    return SortedTracks(foreground, background, False, {'lost from sight': 3})


def choose(tracks: SortedTracks, seed: int = 0) -> FrameLabels:
    return choose_marks(7, tracks, ROBOT, np.random.default_rng(seed))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 99))
def test_marks_are_numbered_apart_and_as_many_as_published(
    moving: int, still: int, seed: int
) -> None:
    labels = choose(some_tracks(moving, still, seed), seed)
    assert [mark.number for mark in labels.marks] == list(range(1, len(labels.marks) + 1))
    places = np.array([mark.cell for mark in labels.marks]).reshape(-1, 2)
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    assert (distances + 1e3 * np.eye(len(places)) > ROBOT.mark_spacing - 1.5).all()
    if moving > 1:
        assert 1 <= len(labels.moving) <= 4
        assert len(labels.marks) - len(labels.moving) <= 9
    else:
        assert not labels.moving


def test_the_same_seed_gives_the_same_marks_and_another_one_others() -> None:
    tracks = some_tracks(20, 40)
    assert choose(tracks, 5) == choose(tracks, 5)
    assert choose(tracks, 5) != choose(tracks, 6)


def test_static_points_are_left_out_as_published() -> None:
    # Source: Magma data/utils/visual_trace.py, remove_close_points_tensor: distance to the last
    # one kept, equal is enough.
    points = np.array([[10.0, 10], [11, 10], [11.9, 10], [12, 10], [12, 13], [12.5, 13.5]])
    assert keep_apart(points, 2.0).tolist() == [[10, 10], [12, 10], [12, 13]]


def labelled(track: list) -> FrameLabels:
    """One moving mark of this track; a second one far away makes it foreground."""
    points = np.array(track, float)
    other = np.array([200.0, 200.0]) + 3.0 * np.arange(len(points))[:, None]
    tracks = SortedTracks(
        np.stack([points, other], axis=1), np.empty((len(points), 0, 2)), False, {}
    )
    return choose(tracks)


def test_coordinates_are_cut_not_rounded_and_what_left_at_zero_is_dropped() -> None:
    labels = labelled([[9.9, 20.99], [6.2, 20.1], [3.5, 20.1], [0.4, 20.1], [-3.0, 20.1]])
    (mark,) = (mark for mark in labels.marks if mark.cell == (9, 20))
    assert mark.future == ((6, 20), (3, 20), (0, 20))
    assert mark.speed == pytest.approx((3.805 + 2.7 + 3.1) / 3, abs=0.01)


def test_beyond_the_other_edges_coordinates_go_on() -> None:
    labels = labelled([[250.0, 20.0], [254.5, 20.0], [259.5, 20.0]])
    (mark,) = (mark for mark in labels.marks if mark.cell == (250, 20))
    assert mark.future == ((254, 20), (259, 20))


def test_a_track_that_ends_early_is_shorter() -> None:
    nan = [np.nan, np.nan]
    labels = labelled([[50.0, 50.0], [55.0, 50.0], [60.0, 50.0], nan, nan])
    (mark,) = (mark for mark in labels.marks if mark.cell == (50, 50))
    assert mark.future == ((55, 50), (60, 50))


def test_tracks_that_are_all_alike() -> None:
    foreground = np.repeat(100.0 + 3.0 * STEPS, 12, axis=1) * np.ones(2)
    labels = choose(SortedTracks(foreground, np.empty((16, 0, 2)), False, {}))
    assert len(labels.marks) == 1
    assert len(labels.moving) == 1


def test_clusters_without_room_are_counted() -> None:
    foreground = 100.0 + np.random.default_rng(0).uniform(0, 3, (1, 9, 2)) + 3.0 * STEPS
    labels = choose(SortedTracks(foreground, np.empty((16, 0, 2)), False, {}))
    assert labels.dropped['clusters without room for a mark'] >= 1
