"""A video -> labels of each of its frames. The begin of everything in this folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from magma_ros.dataset.traces.lucas_kanade import LucasKanadeTracker
from magma_ros.dataset.traces.marks import FrameLabels, choose_marks
from magma_ros.dataset.traces.moving_tracks import sort_tracks
from magma_ros.dataset.traces.trace_settings import ROBOT, TraceSettings
from magma_ros.dataset.traces.tracker import Picture, Tracker
from magma_ros.errors import RecordingError

WIDEST_PX = 640  # wider pictures are made smaller: it costs time and finds no more
SMOOTHING_PX = 3


@dataclass(frozen=True)
class EpisodeTraces:
    """The labels of an episode, one for each frame."""

    labels: tuple[FrameLabels, ...]

    @property
    def dropped(self) -> dict[str, int]:
        """Reason -> tracks, over all frames."""
        total: Counter[str] = Counter()
        for labels in self.labels:
            total.update(labels.dropped)
        return dict(total)


def label_episode(
    frames: Iterable[Picture],
    settings: TraceSettings = ROBOT,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> EpisodeTraces:
    """The labels of all frames at once; arguments as those of :func:`label_frames`."""
    return EpisodeTraces(tuple(label_frames(frames, settings, seed, tracker)))


def label_frames(
    frames: Iterable[Picture],
    settings: TraceSettings = ROBOT,
    seed: int = 0,
    tracker: Tracker | None = None,
) -> Iterator[FrameLabels]:
    """The labels of each frame, ``settings.horizon`` frames behind; only that many are held.

    Args:
        frames: RGB of one size, (height, width, 3), at the rate of the data set: a step of a trace
            is one frame. Best as the camera gave them, before they are made 256 x 256.
        settings: what becomes a mark.
        seed: of the choice of marks. Frame, seed and pictures decide, and nothing else does.
        tracker: None: Lucas-Kanade.

    Raises:
        RecordingError: the frames differ in size.
    """
    follow = tracker or LucasKanadeTracker()
    windows = follow.windows(prepare_frames(frames), settings.horizon)
    for index, window in enumerate(windows):
        tracks = sort_tracks(window, settings)
        yield choose_marks(index, tracks, settings, np.random.default_rng((seed, index)))


def prepare_frames(frames: Iterable[Picture]) -> Iterator[Picture]:
    """Not larger than is of use, and smoothed: Lucas-Kanade keeps twice as many points."""
    first_size: tuple[int, int] | None = None
    for index, frame in enumerate(frames):
        height, width = frame.shape[:2]
        first_size = first_size or (width, height)
        if (width, height) != first_size:
            raise RecordingError(
                f'frame {index} is {width} x {height}, the first one {first_size[0]} x '
                f'{first_size[1]}: label each camera on its own'
            )
        if width > WIDEST_PX:
            size = (WIDEST_PX, round(height * WIDEST_PX / width))
            frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        yield np.asarray(cv2.blur(frame, (SMOOTHING_PX, SMOOTHING_PX)), np.uint8)
