from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from magma_ros.errors import ModelError
from magma_ros.model.weights.stored_tensors import INDEX_FILE, find_shards, read_headers

FIRST, SECOND = 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two shards and their index: tensor a in the first, b in the second."""
    save_file({'a': np.zeros((2, 3), np.float32)}, tmp_path / FIRST)
    save_file({'b': np.zeros(5, np.float16)}, tmp_path / SECOND)
    write_index(tmp_path, {'a': FIRST, 'b': SECOND})
    return tmp_path


def write_index(folder: Path, weight_map: object) -> None:
    (folder / INDEX_FILE).write_text(json.dumps({'weight_map': weight_map}))


def test_headers_say_what_is_where(folder: Path) -> None:
    tensors = read_headers(folder)

    assert tensors['a'].shard == folder / FIRST
    assert tensors['a'].shape == (2, 3)
    assert (tensors['a'].dtype, tensors['a'].nbytes) == ('F32', 24)
    assert (tensors['b'].dtype, tensors['b'].nbytes) == ('F16', 10)


def test_the_index_may_be_missing_but_no_shard(folder: Path) -> None:
    (folder / INDEX_FILE).unlink()
    assert find_shards(folder) == [folder / FIRST, folder / SECOND]
    (folder / SECOND).unlink()
    with pytest.raises(ModelError, match=f'lacks {SECOND}: download'):
        find_shards(folder)


def test_a_shard_of_the_index_is_missing(folder: Path) -> None:
    (folder / FIRST).unlink()
    with pytest.raises(ModelError, match=f'lacks {FIRST}: download'):
        read_headers(folder)


def test_shards_of_another_checkpoint_are_named(folder: Path) -> None:
    (folder / 'model.safetensors').write_bytes(b'')
    with pytest.raises(ModelError, match='holds model.safetensors, which do not belong'):
        find_shards(folder)


@pytest.mark.parametrize('size', [0, 4, 40, -1])
def test_a_shard_that_was_cut_off(folder: Path, size: int) -> None:
    shard = folder / SECOND
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(ModelError, match=f'{SECOND} is damaged or cut off'):
        read_headers(folder)


def test_index_and_shards_disagree(folder: Path) -> None:
    write_index(folder, {'a': SECOND, 'b': SECOND, 'c': FIRST})
    with pytest.raises(ModelError) as caught:
        read_headers(folder)
    assert 'disagree about 2 tensors' in str(caught.value)
    assert f'a should be in {SECOND} and is in {FIRST}' in str(caught.value)


def test_a_tensor_in_two_shards(folder: Path) -> None:
    (folder / INDEX_FILE).unlink()
    save_file({'a': np.zeros(1, np.float32)}, folder / SECOND)
    with pytest.raises(ModelError, match=f'a is in {FIRST} and in {SECOND}'):
        read_headers(folder)


@pytest.mark.parametrize(
    ('weight_map', 'message'),
    [
        ({'a': '../secret.safetensors'}, 'only safetensors beside it'),
        ({'a': 'pytorch_model.bin'}, 'only safetensors beside it'),
        ({'a': 1}, 'no weight_map'),
        (None, 'no weight_map'),
    ],
)
def test_an_index_that_leads_elsewhere(folder: Path, weight_map: object, message: str) -> None:
    write_index(folder, weight_map)
    with pytest.raises(ModelError, match=message):
        find_shards(folder)


def test_weights_that_are_already_quantised(tmp_path: Path) -> None:
    save_file({'a': np.zeros(3, np.int8)}, tmp_path / 'model.safetensors')
    with pytest.raises(ModelError, match='a is stored as I8, expected one of'):
        read_headers(tmp_path)


def test_pickles_are_refused_with_the_way_to_convert(tmp_path: Path) -> None:
    (tmp_path / 'pytorch_model-00001-of-00004.bin').write_bytes(b'\x80\x04.')
    with pytest.raises(ModelError, match='is a pickle.*refused.*save_file of safetensors'):
        find_shards(tmp_path)


def test_wrong_folders(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='is not a folder'):
        find_shards(tmp_path / 'absent')
    with pytest.raises(ModelError, match=r'has no model\*\.safetensors: give the folder'):
        find_shards(tmp_path)


def test_unused_heads_are_left_out_and_the_layer_scale_is_gamma(tmp_path: Path) -> None:
    block = 'vision_tower.clip_vision_model.trunk.stages.0.blocks.0'
    names = ('vision_tower.clip_vision_model.head.proj.weight', f'{block}.weight')
    save_file({name: np.zeros(1, np.float32) for name in names}, tmp_path / 'model.safetensors')

    assert list(read_headers(tmp_path)) == [f'{block}.gamma']
