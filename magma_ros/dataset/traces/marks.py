"""The marks of one start frame: which tracks get one, and what is said of where they go.

Source: Magma ``data/openx_magma/data_utils.py``, ``data/utils/visual_trace.py`` (k-means of the
flattened tracks, one at random of each cluster, static points removed) and
``data/utils/som_tom.py`` (numbers are a random permutation from 1).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from magma_ros.data_types import FloatArray
from magma_ros.dataset.traces.moving_tracks import SortedTracks
from magma_ros.dataset.traces.trace_settings import TraceSettings

Cell = tuple[int, int]  # x, y on Magma's 256 x 256 grid
NO_SPEED = 0.0
# Of a window in which nothing moves; Magma's data/conversations.py, _construct_conv_som.
STILL_FOREGROUND, STILL_BACKGROUND = (2, 5), (6, 14)


@dataclass(frozen=True)
class Mark:
    """One numbered mark. Cells may lie outside of the picture: tracks do leave it."""

    number: int
    cell: Cell  # where it is in the start frame
    future: tuple[Cell, ...]  # where it will be; empty unless it moves
    speed: float  # mean distance between kept points, cells


@dataclass(frozen=True)
class FrameLabels:
    """What is said of one frame: a trace if a mark moves, else only where the marks are."""

    frame: int
    marks: tuple[Mark, ...]  # by number; none where the picture holds nothing to follow
    is_camera_moving: bool
    dropped: Mapping[str, int]  # reason -> tracks

    @property
    def moving(self) -> tuple[Mark, ...]:
        """The marks an answer speaks of."""
        return tuple(mark for mark in self.marks if mark.future)


def choose_marks(
    frame: int, tracks: SortedTracks, settings: TraceSettings, random: np.random.Generator
) -> FrameLabels:
    """Marks on what moves and on what does not; the same ``random`` gives the same marks."""
    dropped = dict(tracks.dropped)
    length = min(len(tracks.foreground), len(tracks.background))
    everything = np.concatenate([tracks.foreground[:length], tracks.background[:length]], axis=1)
    moving = tracks.foreground.shape[1]
    if moving > 1:
        order = [
            *_one_of_each_cluster(tracks.foreground, settings.foreground_clusters, random),
            *(
                [candidate + moving for candidate in cluster]
                for cluster in _one_of_each_cluster(
                    tracks.background, settings.background_clusters, random
                )
            ),
        ]
    else:  # Magma asks for places only
        wanted = sum(random.integers(a, b + 1) for a, b in (STILL_FOREGROUND, STILL_BACKGROUND))
        shuffled = random.permutation(everything.shape[1])
        order = [list(part) for part in np.array_split(shuffled, max(1, wanted)) if len(part)]
    chosen = list(_apart(order, everything[0], settings.mark_spacing))
    dropped['clusters without room for a mark'] = len(order) - len(chosen)
    numbers = random.permutation(len(chosen)) + 1
    marks = [
        _mark(int(number), everything[:, index], moving > 1 and index < moving, settings)
        for number, index in zip(numbers, chosen, strict=True)
    ]
    marks.sort(key=lambda mark: mark.number)
    return FrameLabels(frame, tuple(marks), tracks.is_camera_moving, dropped)


def keep_apart(points: FloatArray, spacing: float) -> FloatArray:
    """The points (n, 2) that are at least ``spacing`` from the last one kept; the first is."""
    kept = [points[0]]
    for point in points[1:]:
        if np.linalg.norm(point - kept[-1]) >= spacing:
            kept.append(point)
    return np.array(kept)


def _one_of_each_cluster(
    tracks: FloatArray, bounds: tuple[int, int], random: np.random.Generator
) -> list[list[int]]:
    """The members of each cluster of tracks (T, n, 2), in random order: the first is meant."""
    count = tracks.shape[1]
    if not count:
        return []
    clusters = min(int(random.integers(bounds[0], bounds[1] + 1)), count)
    flat = _hold_last(tracks).transpose(1, 0, 2).reshape(count, -1)
    begin = flat[random.choice(count, clusters, replace=False)]
    with warnings.catch_warnings():  # tracks that are all alike leave clusters empty
        warnings.simplefilter('ignore', UserWarning)
        _, label = kmeans2(flat, begin, minit='matrix')
    members = [random.permutation(np.flatnonzero(label == each)) for each in range(clusters)]
    return [[int(index) for index in each] for each in members if len(each)]


def _hold_last(tracks: FloatArray) -> FloatArray:
    """What is not seen stays where it was seen last."""
    held = tracks.copy()
    for before, after in zip(held[:-1], held[1:], strict=True):
        missing = np.isnan(after)
        after[missing] = before[missing]
    return held


def _apart(clusters: Sequence[Sequence[int]], places: FloatArray, spacing: float) -> Iterator[int]:
    """The first of each cluster that is clear of the marks before."""
    taken = np.empty((0, 2))
    for cluster in clusters:
        for index in cluster:
            if (np.linalg.norm(taken - places[index], axis=1) >= spacing).all():
                taken = np.vstack([taken, places[index]])
                yield index
                break


def _mark(number: int, track: FloatArray, may_move: bool, settings: TraceSettings) -> Mark:
    seen = track[np.isfinite(track[:, 0])]
    kept = keep_apart(seen, settings.spacing)
    kept = kept[(kept > 0).all(axis=1)]
    steps = np.linalg.norm(np.diff(kept, axis=0), axis=1)
    speed = float(steps.mean()) if len(steps) else NO_SPEED
    if not may_move or not len(steps) or speed < settings.slowest:
        return Mark(number, _cells(seen)[0], (), NO_SPEED)
    cells = _cells(kept)
    return Mark(number, cells[0], tuple(cells[1:]), speed)


def _cells(points: FloatArray) -> list[Cell]:
    whole: NDArray[np.int64] = points.astype(int)
    return [(int(x), int(y)) for x, y in whole]
