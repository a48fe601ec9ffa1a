"""Which int8 is meant, and the front door: every bad folder is a named error with a next step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from safetensors.torch import load_file, save_file  # noqa: E402

from magma_ros.errors import ConfigurationError, MagmaError, ModelError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model  # noqa: E402
from magma_ros.model.backends.local_model import LocalSettings  # noqa: E402
from magma_ros.model.backends.torch_model import choose_int8_inputs  # noqa: E402

pytestmark = pytest.mark.torch
HEAD = 'language_model.lm_head.weight'


def test_int8_is_the_faster_kind_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, '_is_vnni_supported', lambda: True)
    assert choose_int8_inputs('cpu')
    assert not choose_int8_inputs('cpu', wanted=False)
    monkeypatch.setattr(torch.cpu, '_is_vnni_supported', lambda: False)
    assert not choose_int8_inputs('cpu')
    assert choose_int8_inputs('cuda')
    with pytest.raises(ConfigurationError, match='int8-weights only .*no VNNI'):
        choose_int8_inputs('cpu', wanted=True)
    with pytest.raises(ConfigurationError, match='int8-dynamic only .*bitsandbytes'):
        choose_int8_inputs('cuda:1', wanted=False)


def change_tensor(folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    for shard in folder.glob('*.safetensors'):
        tensors = load_file(shard)
        if HEAD in tensors:
            tensors[HEAD] = change(tensors[HEAD]).contiguous()
            save_file(tensors, shard)


def cut_off(folder: Path) -> None:
    shard = next(folder.glob('*.safetensors'))
    shard.write_bytes(shard.read_bytes()[:-7])


def rename_special(folder: Path) -> None:
    path = folder / 'tokenizer.json'
    path.write_text(path.read_text().replace('<image_start>', '<image_begin>'))


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], type[MagmaError], str]] = {
    'wrong folder': (shutil.rmtree, ModelError, 'is not a folder: give the folder'),
    'empty folder': (
        lambda folder: [path.unlink() for path in folder.iterdir()],
        ModelError,
        'no model.*safetensors: give the folder of a checkpoint',
    ),
    'missing shard': (
        lambda folder: next(folder.glob('*.safetensors')).unlink(),
        ModelError,
        'lacks model-00001.*download the folder again',
    ),
    'truncated shard': (cut_off, ModelError, 'damaged or cut off .*copy it again'),
    'wrong shapes': (
        lambda folder: change_tensor(folder, lambda head: head[:-1]),
        ModelError,
        r'lm_head.weight is \(1032, 64\), expected \(1033, 64\)',
    ),
    'foreign tokenizer': (rename_special, ModelError, 'belongs to another model.*came with'),
    'NaN weights': (
        lambda folder: change_tensor(folder, lambda head: head * float('nan')),
        ModelError,
        'NaN or infinite values .*copy the file again',
    ),
    'statistics of another robot': (
        lambda folder: (folder / 'dataset_statistics.json').write_text(
            json.dumps({'franka': {'action': {'q01': [-1.0] * 14, 'q99': [1.0] * 14}}})
        ),
        ConfigurationError,
        "statistics 'franka' .* need seven numbers",
    ),
}


@pytest.mark.parametrize('fault', BAD_FOLDERS)
def test_bad_folders_are_named_with_a_next_step(
    fault: str, small_checkpoint: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_checkpoint, tmp_path / 'model'))
    damage, kind, message = BAD_FOLDERS[fault]
    damage(folder)
    statistics = 'franka' if 'robot' in fault else 'bridge_orig'
    choice = ModelChoice(str(folder), statistics, LocalSettings(device='cpu'))
    with pytest.raises(kind, match=message):
        load_acting_model(choice, prepare_image)
