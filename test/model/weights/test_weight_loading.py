from __future__ import annotations

import logging
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from safetensors.torch import load_file, save_file  # noqa: E402

from magma_ros.errors import ConfigurationError, EnvironmentMissing, ModelError  # noqa: E402
from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.model.network.quantised_linear import Int4Linear, Int8Linear  # noqa: E402
from magma_ros.model.weights.checkpoint import (  # noqa: E402
    checksum_checkpoint,
    load_checkpoint,
    load_identified,
)
from magma_ros.model.weights.random_checkpoint import write_random_checkpoint  # noqa: E402

pytestmark = pytest.mark.torch
HEAD = 'language_model.lm_head.weight'
UP = 'language_model.model.layers.3.mlp.up_proj'
DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random nano in float32, in several shards."""
    directory = tmp_path_factory.mktemp('weights') / 'nano'
    write_random_checkpoint(MAGMA_NANO, directory, precision='fp32', shard_bytes=2_000_000)
    return directory


def rewrite(folder: Path, target: Path, name: str, change: object) -> Path:
    """A copy of the folder in which one tensor was changed in place."""
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    for shard in target.glob('*.safetensors'):
        tensors = load_file(shard)
        if name in tensors:
            change(tensors[name])  # type: ignore[operator]
            save_file(tensors, shard)
    return target


def embeddings(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(1, 20, 128, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize('dtype', [None, 'fp32', 'bf16', 'fp16'])
def test_every_tensor_is_there_in_the_precision_asked_for(folder: Path, dtype: str | None) -> None:
    stored = {
        name: t for shard in folder.glob('*.safetensors') for name, t in load_file(shard).items()
    }

    model = load_checkpoint(folder, dtype)

    wanted = DTYPES[dtype or 'fp32']
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, stored.pop(name).to(wanted)), name
    assert stored == {}
    assert not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()])


def test_the_meta_device_leaves_no_trace(folder: Path) -> None:
    model, plain = load_checkpoint(folder, 'bf16'), MagmaForAction(MAGMA_NANO)

    loaded, expected = dict(model.named_buffers()), dict(plain.named_buffers())
    assert loaded.keys() == expected.keys()
    for name, buffer in loaded.items():
        assert buffer.dtype == expected[name].dtype, name
        assert torch.equal(buffer, expected[name]), name
    strides = {name: tensor.stride() for name, tensor in plain.named_parameters()}
    assert strides == {name: tensor.stride() for name, tensor in model.named_parameters()}


def test_outputs_are_those_of_a_model_loaded_the_plain_way(folder: Path) -> None:
    plain = MagmaForAction(MAGMA_NANO).eval()
    for shard in folder.glob('*.safetensors'):
        plain.load_state_dict(load_file(shard), strict=False)
    with torch.no_grad():
        assert torch.equal(load_checkpoint(folder)(embeddings()), plain(embeddings()))


@pytest.mark.parametrize(
    ('quantise', 'kind', 'most'), [('int8', Int8Linear, 0.05), ('int4', Int4Linear, 0.4)]
)
def test_only_the_decoder_is_quantised(
    folder: Path, quantise: str, kind: type, most: float
) -> None:
    full = load_checkpoint(folder)
    model, identity = load_identified(folder, 'fp32', quantise=quantise)

    kinds = {name: type(module) for name, module in model.named_modules()}
    assert [name for name, found in kinds.items() if found is kind] == [
        name
        for name, module in full.named_modules()
        if isinstance(module, torch.nn.Linear) and '.layers.' in name
    ]
    assert type(model.language_model.lm_head) is torch.nn.Linear
    assert identity.name == f'magma-nano-{quantise}'
    with torch.no_grad():
        expected, found = full(embeddings()), model(embeddings())
    assert 0 < float((found - expected).norm() / expected.norm()) < most


def test_identity_is_taken_while_reading(folder: Path) -> None:
    _, identity = load_identified(folder)
    assert identity.name == 'magma-nano'
    assert identity.sha256 == checksum_checkpoint(folder)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
@pytest.mark.parametrize('name', [HEAD, f'{UP}.weight'])
def test_weights_that_are_no_numbers_are_named(
    folder: Path, tmp_path: Path, name: str, value: float
) -> None:
    damaged = rewrite(
        folder, tmp_path / 'nan', name, lambda tensor: tensor.view(-1)[7].fill_(value)
    )
    for quantise in (None, 'int8'):
        with pytest.raises(ModelError, match=f'{name} in .* holds NaN or infinite values'):
            load_checkpoint(damaged, quantise=quantise)


def test_weights_too_large_for_fp16(folder: Path, tmp_path: Path) -> None:
    large = rewrite(folder, tmp_path / 'large', HEAD, lambda tensor: tensor[0, 0].fill_(1e5))
    load_checkpoint(large, 'bf16')
    with pytest.raises(ModelError, match='too large for fp16, load in bf16'):
        load_checkpoint(large, 'fp16')


def test_a_shard_cut_off_and_one_of_another_checkpoint(folder: Path, tmp_path: Path) -> None:
    broken = rewrite(folder, tmp_path / 'broken', '', None)
    shard = next(broken.glob('model-00002*'))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f'{shard.name} is damaged or cut off'):
        load_checkpoint(broken)


def test_no_memory_nothing_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr('magma_ros.model.weights.checkpoint.load_weights', None)
    with pytest.raises(ModelError, match='magma-nano in fp32 needs .* but 1 MB are free'):
        load_checkpoint(folder, free_bytes=1_000_000)
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        load_checkpoint(folder, device='auto', free_bytes=10**10)
    assert 'loading magma-nano in fp32 on' in caplog.text


@pytest.mark.parametrize(
    ('options', 'kind', 'message'),
    [
        ({'dtype': 'bfloat16'}, ConfigurationError, "no precision 'bfloat16': choose one of"),
        ({'quantise': 'int2'}, ConfigurationError, "no quantisation 'int2': choose one of"),
        ({'device': 'tpu'}, ConfigurationError, "no device 'tpu': choose auto"),
        ({'device': 'cuda:9'}, EnvironmentMissing, 'cuda:9 is not there'),
    ],
)
def test_wrong_options_are_named(
    folder: Path, options: dict[str, str], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        load_checkpoint(folder, **options)  # type: ignore[arg-type]
