from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from safetensors.torch import load_file, save_file  # noqa: E402

from magma_ros.errors import ModelError  # noqa: E402
from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.model.weights.checkpoint import (  # noqa: E402
    checksum_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from magma_ros.model.weights.tensor_shapes import check_shapes, expected_shapes  # noqa: E402

pytestmark = pytest.mark.torch
GAMMA = 'vision_tower.clip_vision_model.trunk.stages.2.blocks.1.gamma'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_checkpoint(MagmaForAction(MAGMA_NANO), tmp_path)
    return tmp_path


def test_round_trip(folder: Path) -> None:
    torch.manual_seed(0)
    expected = MagmaForAction(MAGMA_NANO).state_dict()
    found = load_checkpoint(folder)
    assert found.config == MAGMA_NANO
    assert not found.training
    for name, tensor in found.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_both_spellings_of_the_layer_scale_and_unused_heads(folder: Path) -> None:
    tensors = load_file(folder / 'model.safetensors')
    tensors[GAMMA[: -len('gamma')] + 'weight'] = torch.full_like(tensors.pop(GAMMA), 0.25)
    tensors['vision_tower.clip_vision_model.head.proj.weight'] = torch.zeros(2)
    save_file(tensors, folder / 'model.safetensors')
    assert load_checkpoint(folder).state_dict()[GAMMA].unique().tolist() == [0.25]


def test_shards_are_read(folder: Path) -> None:
    tensors = load_file(folder / 'model.safetensors')
    names = sorted(tensors)
    (folder / 'model.safetensors').unlink()
    save_file({name: tensors[name] for name in names[:50]}, folder / 'model-1-of-2.safetensors')
    save_file({name: tensors[name] for name in names[50:]}, folder / 'model-2-of-2.safetensors')
    load_checkpoint(folder)


def test_differences_are_listed() -> None:
    shapes = expected_shapes(MAGMA_NANO)
    shapes.pop(GAMMA)
    shapes['lora.weight'] = (3,)
    shapes['language_model.lm_head.weight'] = (1000, 128)
    with pytest.raises(ModelError) as caught:
        check_shapes(shapes, MAGMA_NANO)
    text = str(caught.value)
    assert f'missing  {GAMMA} (96,)' in text
    assert 'unknown  lora.weight (3,)' in text
    assert 'lm_head.weight is (1000, 128), expected (1033, 128)' in text


def test_long_lists_are_cut() -> None:
    with pytest.raises(ModelError, match='and [0-9]+ more'):
        check_shapes({}, MAGMA_NANO)


def test_checksum_follows_the_weights(folder: Path) -> None:
    before = checksum_checkpoint(folder)
    assert before == checksum_checkpoint(folder)
    tensors = load_file(folder / 'model.safetensors')
    tensors[GAMMA][0] += 1e-3
    save_file(tensors, folder / 'model.safetensors')
    assert checksum_checkpoint(folder) != before


def test_damaged_and_missing_files(folder: Path) -> None:
    weights = folder / 'model.safetensors'
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match='damaged'):
        load_checkpoint(folder)
    weights.unlink()
    with pytest.raises(ModelError, match=r'model\*\.safetensors'):
        load_checkpoint(folder)
