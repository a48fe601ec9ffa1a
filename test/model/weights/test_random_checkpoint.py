from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from safetensors.torch import load_file  # noqa: E402

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, MAGMA_TINY  # noqa: E402
from magma_ros.model.weights.checkpoint import load_checkpoint  # noqa: E402
from magma_ros.model.weights.folder_report import inspect_folder  # noqa: E402
from magma_ros.model.weights.random_checkpoint import (  # noqa: E402
    plan_shards,
    write_random_checkpoint,
)
from magma_ros.model.weights.tensor_shapes import expected_shapes  # noqa: E402

pytestmark = pytest.mark.torch
GAMMA = 'vision_tower.clip_vision_model.trunk.stages.0.blocks.0.gamma'


def read_all(folder: Path) -> dict[str, torch.Tensor]:
    return {
        name: tensor
        for shard in sorted(folder.glob('*.safetensors'))
        for name, tensor in load_file(shard).items()
    }


def test_a_small_model_in_the_released_layout_is_whole_and_finite(tmp_path: Path) -> None:
    """The tokens and the tower of magma-tiny, with a decoder that is quick to write."""
    decoder = replace(MAGMA_TINY.decoder, hidden_size=32, intermediate_size=64)
    config = replace(
        MAGMA_TINY, decoder=decoder, projector=replace(MAGMA_TINY.projector, hidden_size=32)
    )

    write_random_checkpoint(config, tmp_path, precision='fp16', shard_bytes=30_000_000)

    report = inspect_folder(tmp_path, with_hash=True, free_bytes=10**9)
    assert report.loads, report.problems
    assert (report.layout, report.random_weights, report.shards) == ('published', True, 3)
    assert list(report.bytes_by_dtype) == ['F16']
    model = load_checkpoint(tmp_path, 'bf16')  # convolutions in fp16 take minutes on a CPU
    assert replace(model.config, name='magma-tiny') == config
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        visual = model.encode_image(pixels.bfloat16())
        logits = model(visual)
    assert logits.isfinite().all()
    assert 0.1 < logits.std() < 10
    index = json.loads((tmp_path / 'model.safetensors.index.json').read_text())
    assert index['metadata']['total_size'] == sum(report.bytes_by_dtype.values())


def test_the_same_seed_gives_the_same_weights_however_they_are_split(tmp_path: Path) -> None:
    for name, seed, shard_bytes in (('a', 3, 10**9), ('b', 3, 500_000), ('c', 4, 10**9)):
        write_random_checkpoint(MAGMA_NANO, tmp_path / name, seed, shard_bytes=shard_bytes)
    one, split, other = (read_all(tmp_path / name) for name in 'abc')

    assert len(list((tmp_path / 'b').glob('*.safetensors'))) > 5
    assert one.keys() == split.keys() == expected_shapes(MAGMA_NANO).keys()
    assert all(torch.equal(one[name], split[name]) for name in one)
    head = 'language_model.lm_head.weight'
    assert not torch.equal(one[head], other[head])
    assert one[head].dtype == torch.bfloat16
    assert one[head].float().std() == pytest.approx(128**-0.5, rel=0.05)
    assert one[GAMMA].unique().tolist() == pytest.approx([0.1], rel=0.01)


def test_shards_of_8b_are_as_large_as_asked() -> None:
    shapes = expected_shapes(MAGMA_8B)
    shards = plan_shards(shapes, element=2, shard_bytes=5_000_000_000)
    sizes = [sum(2 * torch.Size(shape).numel() for shape in shard.values()) for shard in shards]
    assert len(shards) == 4
    assert max(sizes) <= 5_000_000_000
    assert sum(sizes) == 17_806_132_992
    assert [name for shard in shards for name in shard] == list(shapes)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(ConfigurationError, match='is not empty and is left alone'):
        write_random_checkpoint(MAGMA_NANO, tmp_path)
    with pytest.raises(ConfigurationError, match='is not empty'):
        write_random_checkpoint(MAGMA_NANO, tmp_path / 'notes.txt')
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


def test_a_disk_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5 * 10**9)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(ConfigurationError, match=r'has 5.0 GB free, 17.9 GB are needed'):
        write_random_checkpoint(MAGMA_8B, tmp_path / 'new')
