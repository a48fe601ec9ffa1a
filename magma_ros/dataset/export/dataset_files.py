"""What every format gets, and who writes which."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.actions.action_statistics import dataset_statistics
from magma_ros.dataset.export.conversion_rules import ConversionRules, Format
from magma_ros.dataset.export.staged_episode import StagedEpisode
from magma_ros.errors import EnvironmentMissing

STATISTICS = 'dataset_statistics.json'


@dataclass(frozen=True)
class Dataset:
    """Episodes that are kept, in their order."""

    rules: ConversionRules
    train: tuple[StagedEpisode, ...]
    validation: tuple[StagedEpisode, ...]

    @property
    def episodes(self) -> tuple[StagedEpisode, ...]:
        """All of them, those for training first."""
        return (*self.train, *self.validation)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the picture features."""
        return tuple(camera.name for camera in self.rules.mapping.cameras)

    def statistics(self) -> dict[str, Any]:
        """OpenVLA's, over the training split."""
        columns = [episode.steps() for episode in self.train]
        actions = np.concatenate([one['action'] for one in columns])
        states = np.concatenate([one['state'] for one in columns])
        return dataset_statistics(self.rules.name, actions, states, len(self.train))

    def write_statistics(self, folder: Path) -> None:
        """Write ``dataset_statistics.json``."""
        text = json.dumps(self.statistics(), indent=1)
        (folder / STATISTICS).write_text(text, encoding='utf-8')


Writer = Callable[[Dataset, Path], None]


def _late(module: str) -> Writer:
    """Libraries of a format are needed only by those who write it."""

    def write(dataset: Dataset, folder: Path) -> None:
        try:
            writer = importlib.import_module(f'magma_ros.dataset.export.{module}')
        except ModuleNotFoundError as error:
            raise EnvironmentMissing(
                f'{error.name} is not installed: pip install .[data]'
            ) from error
        writer.write(dataset, folder)

    return write


WRITERS: dict[Format, Writer] = {
    'lerobot': _late('lerobot_dataset'),
    'magma': _late('magma_conversations'),
    'parquet': _late('parquet_table'),
    'hdf5': _late('hdf5_file'),
    'rlds': _late('rlds_dataset'),
}


def as_float32(values: NDArray) -> NDArray[np.float32]:
    """What training reads."""
    return np.ascontiguousarray(values, np.float32)
