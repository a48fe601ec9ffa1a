"""Pyramidal Lucas-Kanade with a forward-backward check: the tracker that is always there.

Points are followed through the whole episode and shared by all windows, so each pair of frames is
worked on once. Every cell of a grid has at least one point, and where the picture changes each
quarter of a cell has: what moves is small, and is what the labels are about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.traces.tracker import Picture, TrackWindow

GRID = 15  # cells a side: s of Magma's paper, algorithm 2
FINE = 2 * GRID
WINDOW_PX = 15
LEVELS = 3  # of the pyramid, above the picture itself
CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.03)
RETURN_PX = 1.0  # there and back again, a point must come this near to where it was
CHANGE_LEVELS = 3.0  # mean difference between two frames that counts as change
HALF_PIXEL = 0.5  # OpenCV's pixel centres are whole numbers

Points = NDArray[np.float32]


@dataclass(frozen=True)
class _Step:
    frame: Picture
    ids: NDArray[np.int64]  # ascending
    points: Points  # (n, 2), as OpenCV counts


class LucasKanadeTracker:
    """See ``Tracker``."""

    def windows(self, frames: Iterable[Picture], horizon: int) -> Iterator[TrackWindow]:
        """One window for each frame."""
        waiting: deque[_Step] = deque()
        for step in _follow(frames):
            waiting.append(step)
            if len(waiting) == horizon:
                yield _window(waiting)
                waiting.popleft()
        while waiting:
            yield _window(waiting)
            waiting.popleft()


def _follow(frames: Iterable[Picture]) -> Iterator[_Step]:
    """Each frame with all points alive in it; looks one frame ahead to see what will change."""
    points, ids = np.empty((0, 2), np.float32), np.empty(0, np.int64)
    frame = grey = before = None
    first_free = 0
    for following in chain(frames, [None]):
        grey_following = None if following is None else _grey(following)
        if frame is not None and grey is not None:
            if before is not None:
                points, alive = _track(before, grey, points)
                points, ids = points[alive], ids[alive]
            fresh = _missing_points(points, grey, grey_following)
            points = np.concatenate([points, fresh])
            ids = np.concatenate([ids, np.arange(first_free, first_free + len(fresh))])
            first_free += len(fresh)
            yield _Step(frame, ids, points)
        before, frame, grey = grey, following, grey_following


def _grey(frame: Picture) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _track(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: Points
) -> tuple[Points, NDArray[np.bool_]]:
    """Where the points went, and which are still believed."""
    there, alive = _flow(before, after, points)
    height, width = after.shape
    alive &= ((there >= 0) & (there <= [width - 1, height - 1])).all(axis=1)
    back, found_back = _flow(after, before, there[alive])
    alive[alive] = found_back & (np.linalg.norm(back - points[alive], axis=1) < RETURN_PX)
    return there, alive


def _flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: Points
) -> tuple[Points, NDArray[np.bool_]]:
    if not len(points):
        return points, np.empty(0, bool)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points[:, None],
        np.empty_like(points[:, None]),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=LEVELS,
        criteria=CRITERIA,
    )
    return np.asarray(there[:, 0], np.float32), np.asarray(found[:, 0] == 1)


def _missing_points(
    points: Points, grey: NDArray[np.uint8], following: NDArray[np.uint8] | None
) -> Points:
    """The middle of each cell that has no point, and of each changing quarter that has none."""
    height, width = grey.shape
    fine_px = np.array([width / FINE, height / FINE])
    column, row = np.clip((points / fine_px).astype(int), 0, FINE - 1).T
    is_taken = np.zeros((FINE, FINE), bool)
    is_taken[row, column] = True
    wanted = ~is_taken & _changing_cells(grey, following)
    in_cells = (is_taken | wanted).reshape(GRID, 2, GRID, 2).any(axis=(1, 3))
    fine = np.argwhere(wanted)[:, ::-1] + 0.5
    coarse = 2.0 * np.argwhere(~in_cells)[:, ::-1] + 1.0
    return (np.concatenate([fine, coarse]) * fine_px - HALF_PIXEL).astype(np.float32)


def _changing_cells(
    grey: NDArray[np.uint8], following: NDArray[np.uint8] | None
) -> NDArray[np.bool_]:
    """(FINE, FINE) where the next frame differs, and all around."""
    if following is None:
        return np.zeros((FINE, FINE), bool)
    # Averaged before the sign is lost: noise must not count as change.
    difference = cv2.absdiff(cv2.blur(grey, (5, 5)), cv2.blur(following, (5, 5)))
    mean = cv2.resize(difference, (FINE, FINE), interpolation=cv2.INTER_AREA)
    changes = (mean > CHANGE_LEVELS).astype(np.uint8)
    return cv2.dilate(changes, np.ones((3, 3), np.uint8)) > 0


def _window(steps: Sequence[_Step]) -> TrackWindow:
    start = steps[0].ids
    points = np.full((len(steps), len(start), 2), np.nan)
    for index, step in enumerate(steps):
        _, here, there = np.intersect1d(start, step.ids, assume_unique=True, return_indices=True)
        points[index, here] = step.points[there] + HALF_PIXEL
    return TrackWindow(tuple(step.frame for step in steps), points)
