"""Settings are checked before anything is loaded; what is shipped passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.model.network.magma_config import MAGMA_8B
from magma_ros.resources import config_path
from magma_ros.training.finetuning.memory import (
    count_adapter_parameters,
    estimate_training_memory,
)
from magma_ros.training.finetuning.settings import FinetuneSettings, read_settings

SHIPPED = sorted(config_path('finetune').glob('*.yaml'))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped_settings_are_valid(path: Path) -> None:
    assert read_settings(path, data='elsewhere').data == 'elsewhere'


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('model: nano', 'missing keys'),
        ('data: d\nlearning_rte: 1', 'learning_rate'),
        ('data: d\nmethod: lorra', 'lora'),
        ('data: d\nbatch: many', 'must be a int'),
        ('data: d\ntrain_projector: 1', 'must be a bool'),
        ('data: d\nbatch: 6', 'no multiple of micro_batch'),
        ('data: d\nlearning_rate: .nan', 'learning_rate'),
        ('data: d\nmixture: {action: 0}', 'positive share'),
        ('data: d\nmixture: {walk: 1}', 'walk'),
        ('- data', 'must be a table'),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        read_settings(write(tmp_path / 'run.yaml', text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='does not exist'):
        read_settings(tmp_path / 'none.yaml')


def test_epochs_become_steps() -> None:
    assert FinetuneSettings('d', epochs=20, batch=32).total_steps(1000) == 625
    assert FinetuneSettings('d', steps=7).total_steps(1000) == 7


def test_adapters_of_the_large_model_are_as_many_as_published_elsewhere() -> None:
    assert count_adapter_parameters(MAGMA_8B, 32) == 83_886_080  # 83.9 M


@pytest.mark.parametrize(
    ('name', 'devices', 'sharding', 'gigabytes'),
    [('magma8b_qlora', 1, 'none', 24), ('magma8b_lora', 1, 'none', 80),
     ('magma8b_full', 8, 'full', 80)],
)  # fmt: skip
def test_shipped_recipes_fit_their_devices(
    name: str, devices: int, sharding: str, gigabytes: int
) -> None:
    settings = read_settings(config_path(f'finetune/{name}.yaml'))

    needed = estimate_training_memory(MAGMA_8B, settings, devices, sharding)  # type: ignore[arg-type]

    assert 0.2 * gigabytes * 1e9 < needed.total < 0.8 * gigabytes * 1e9


def test_a_full_finetuning_does_not_fit_one_device() -> None:
    settings = read_settings(config_path('finetune/magma8b_full.yaml'))

    assert estimate_training_memory(MAGMA_8B, settings).total > 120e9
