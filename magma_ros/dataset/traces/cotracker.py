"""CoTracker through its own package, for whoever has it and its weights; neither is fetched.

Its licence (CC-BY-NC) forbids commercial use, which is why it is not the default. Source of the
calls: facebookresearch/co-tracker, ``cotracker/predictor.py``.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from magma_ros.dataset.traces.lucas_kanade import GRID
from magma_ros.dataset.traces.tracker import Picture, TrackWindow
from magma_ros.errors import EnvironmentMissing

# (frames (T, height, width, 3), points a side) -> points (T, n, 2), visible (T, n)
Predict = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


class CoTracker:
    """See ``Tracker``. Each window is predicted on its own, from a grid of points.

    Raises:
        EnvironmentMissing: the package or the file of its weights is not there.
    """

    def __init__(self, weights: Path) -> None:
        self._predict = _load(weights)

    def windows(self, frames: Iterable[Picture], horizon: int) -> Iterator[TrackWindow]:
        """One window for each frame."""
        waiting: deque[Picture] = deque()
        for frame in frames:
            waiting.append(frame)
            if len(waiting) == horizon:
                yield self._window(tuple(waiting))
                waiting.popleft()
        while waiting:
            yield self._window(tuple(waiting))
            waiting.popleft()

    def _window(self, frames: tuple[Picture, ...]) -> TrackWindow:
        points, is_visible = self._predict(np.stack(frames), GRID)
        return TrackWindow(frames, np.where(is_visible[..., None], points, np.nan))


def _load(weights: Path) -> Predict:
    if not weights.is_file():
        raise EnvironmentMissing(
            f"{weights} is not there: download CoTracker's weights from its project page, whose "
            'licence forbids commercial use, and name the file'
        )
    try:
        package: Any = importlib.import_module('cotracker.predictor')
        torch: Any = importlib.import_module('torch')
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'CoTracker needs the module {error.name}: install co-tracker from its project page, '
            'or use lucas-kanade'
        ) from error
    model = package.CoTrackerPredictor(checkpoint=str(weights))

    def predict(frames: np.ndarray, grid: int) -> tuple[np.ndarray, np.ndarray]:
        video = torch.from_numpy(frames.transpose(0, 3, 1, 2)[None].copy()).float()
        with torch.no_grad():
            points, is_visible = model(video, grid_size=grid)
        return points[0].numpy().astype(float), is_visible[0].numpy().astype(bool)

    return predict
