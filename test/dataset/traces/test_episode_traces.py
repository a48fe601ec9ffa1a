from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from moving_patch import HEIGHT, STEP_CELLS, WIDTH, film, is_inside_patch

from magma_ros.dataset.traces.episode_traces import label_episode, label_frames
from magma_ros.dataset.traces.trace_pictures import (
    SIZE_PX,
    draw_label_marks,
    draw_side_by_side,
    draw_traces,
)
from magma_ros.dataset.traces.trace_settings import ROBOT
from magma_ros.errors import RecordingError


@pytest.fixture(scope='module')
def episode():
    return label_episode(film())


def test_marks_on_the_patch_move_as_it_does(episode) -> None:
    assert len(episode.labels) == 17
    first = episode.labels[0]
    assert 2 <= len(first.moving) <= 4
    for mark in first.moving:
        assert is_inside_patch(np.array([mark.cell])).all()
        assert mark.speed == pytest.approx(np.linalg.norm(STEP_CELLS), rel=0.1)
        assert np.array(mark.future[7]) - mark.cell == pytest.approx(8 * STEP_CELLS, abs=2.0)
    still = [mark.cell for mark in first.marks if not mark.future]
    assert len(still) >= 4


def test_the_same_film_and_seed_give_the_same_labels(episode) -> None:
    assert label_episode(film()) == episode
    assert label_episode(film(), seed=1) != episode


def test_the_last_frame_has_places_only(episode) -> None:
    assert not episode.labels[-1].moving
    assert episode.labels[-1].marks


def test_totals_are_sums(episode) -> None:
    lost = [labels.dropped['lost from sight'] for labels in episode.labels]
    assert episode.dropped['lost from sight'] == sum(lost) > 0


def test_frames_are_taken_as_they_are_needed() -> None:
    taken = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal taken
        for frame in film():
            taken += 1
            yield frame

    labels = label_frames(counted())
    next(labels)
    assert taken == ROBOT.horizon + 1  # one ahead, to see what changes


def test_wide_pictures_give_the_same_cells(episode) -> None:
    wide = [frame.repeat(3, axis=0).repeat(3, axis=1) for frame in film(16)]
    (first, *_) = label_frames(wide)
    assert first.moving
    for mark in first.moving:
        assert is_inside_patch(np.array([mark.cell]), margin_px=-4).all()


def test_two_cameras_in_one_episode() -> None:
    with pytest.raises(RecordingError, match='frame 3 is 240 x 320'):
        label_episode([*film(3), film(1)[0].transpose(1, 0, 2)])


@pytest.mark.parametrize('level', [0, 255])
def test_pictures_that_show_nothing(level: int) -> None:
    episode = label_episode([np.full((HEIGHT, WIDTH, 3), level, np.uint8)] * 4)
    assert [labels.moving for labels in episode.labels] == [()] * 4


def test_no_frames() -> None:
    assert label_episode([]).labels == ()


def test_marks_are_drawn_where_they_are(episode) -> None:
    frame, labels = film(1)[0], episode.labels[0]
    drawn = draw_label_marks(frame, labels)
    for mark in labels.marks:
        x = int((mark.cell[0] + 0.5) * WIDTH / 256)
        y = int((mark.cell[1] + 0.5) * HEIGHT / 256)
        around = drawn[max(0, y - 6) : y + 7, max(0, x - 6) : x + 7]
        assert (around == (255, 0, 0)).all(axis=2).any()
    assert (draw_traces(frame, labels) != drawn).any()


def test_the_film_beside_its_labels(episode) -> None:
    pictures = list(draw_side_by_side(film(), episode.labels, ROBOT.horizon))
    assert len(pictures) == 17
    width, height = SIZE_PX
    assert pictures[0].shape == (height, 2 * width, 3)
    assert np.array_equal(pictures[0][:, :width], pictures[15][:, :width])
    assert (pictures[16][:, :width] != pictures[15][:, :width]).any()
