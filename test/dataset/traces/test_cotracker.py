from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from moving_patch import film

from magma_ros.dataset.traces.cotracker import CoTracker
from magma_ros.dataset.traces.episode_traces import label_episode
from magma_ros.errors import EnvironmentMissing


class Tensor:
    """As much of torch's as is used."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __getitem__(self, index: int) -> Tensor:
        return Tensor(self.values[index])

    def float(self) -> Tensor:
        return Tensor(self.values.astype(np.float32))

    def numpy(self) -> np.ndarray:
        return self.values


class Predictor:
    """Points of a grid that all go right by 3 pixels a frame; the last is seen only at first."""

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def __call__(self, video: Tensor, grid_size: int) -> tuple[Tensor, Tensor]:
        batch, length, channels, height, width = video.values.shape
        assert (batch, channels) == (1, 3)
        assert video.values.max() > 1.0  # 0..255, as it wants
        x, y = np.meshgrid(
            np.linspace(5, width - 5, grid_size), np.linspace(5, height - 5, grid_size)
        )
        start = np.stack([x.ravel(), y.ravel()], axis=1)
        points = start + np.arange(length)[:, None, None] * [3.0, 0.0]
        visible = np.ones(points.shape[:2], bool)
        visible[1:, -1] = False
        return Tensor(points[None]), Tensor(visible[None])


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package, predictor, torch = (
        ModuleType(name) for name in ('cotracker', 'cotracker.predictor', 'torch')
    )
    predictor.CoTrackerPredictor = Predictor  # type: ignore[attr-defined]
    torch.from_numpy = Tensor  # type: ignore[attr-defined]
    torch.no_grad = lambda: pytest.MonkeyPatch.context()  # type: ignore[attr-defined]
    for module in (package, predictor, torch):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    path = tmp_path / 'weights.pth'
    path.write_bytes(b'not read by the fake')
    return path


def test_its_points_become_windows(weights: Path) -> None:
    windows = list(CoTracker(weights).windows(film(5), 4))
    assert [len(window.frames) for window in windows] == [4, 4, 3, 2, 1]
    points = windows[0].points_px
    assert points.shape == (4, 225, 2)
    assert points[3, 0] - points[0, 0] == pytest.approx([9.0, 0.0])
    assert np.isnan(points[1:, -1]).all()


def test_labels_can_be_made_with_it(weights: Path) -> None:
    episode = label_episode(film(5), tracker=CoTracker(weights))
    assert len(episode.labels) == 5
    assert episode.labels[0].dropped['lost from sight'] == 1


def test_without_weights_nothing_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match='is not there: download'):
        CoTracker(tmp_path / 'none.pth')


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'cotracker.predictor', None)
    monkeypatch.setitem(sys.modules, 'cotracker', SimpleNamespace())  # type: ignore[misc]
    (tmp_path / 'weights.pth').touch()
    with pytest.raises(EnvironmentMissing, match='cotracker'):
        CoTracker(tmp_path / 'weights.pth')
