from __future__ import annotations

import sys

import pytest

torch = pytest.importorskip('torch')

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from magma_ros.errors import EnvironmentMissing  # noqa: E402
from magma_ros.model.network.bitsandbytes_linear import quantise_on_cuda  # noqa: E402
from magma_ros.model.network.quantisation import (  # noqa: E402
    group_size,
    is_quantised,
    quantised_bytes,
)
from magma_ros.model.network.quantised_linear import FEW_ROWS, quantise_linear  # noqa: E402

pytestmark = pytest.mark.torch
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
LAYER = 'language_model.model.layers.0.mlp.up_proj.weight'


@st.composite
def weights(draw: st.DrawFn) -> torch.Tensor:
    """Rows of different scale and offset, some of them constant."""
    shape = draw(st.sampled_from([16, 32, 48])), draw(st.sampled_from([32, 64, 96, 128]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    noise = torch.randn(shape, generator=generator)
    scale = 10.0 ** (draw(st.floats(-2, 0.5)) + torch.rand(shape[0], 1, generator=generator))
    offset = draw(st.floats(-1, 1)) * torch.randn(shape[0], 1, generator=generator)
    varying = torch.rand(shape[0], 1, generator=generator) > draw(st.sampled_from([0, 0.5, 1]))
    return scale * (noise * varying + offset)


@settings(max_examples=25, deadline=None)
@given(weights(), st.sampled_from(DTYPES))
def test_int8_is_off_by_half_a_step_of_its_row(weight: torch.Tensor, dtype: torch.dtype) -> None:
    step = weight.abs().amax(dim=1, keepdim=True) / 127

    error = (quantise_linear(weight, 'int8', dtype).dequantise() - weight).abs()

    # The scale is rounded to the precision; for tiny ones in fp16 that is coarse.
    assert (error <= 0.51 * step + 1e-4).all()


@settings(max_examples=25, deadline=None)
@given(weights(), st.sampled_from(DTYPES))
def test_int4_is_off_by_half_a_step_of_its_group(weight: torch.Tensor, dtype: torch.dtype) -> None:
    group = group_size(weight.shape[1])
    groups = weight.reshape(weight.shape[0], -1, group)
    step = (groups.amax(dim=2) - groups.amin(dim=2)).repeat_interleave(group, dim=1) / 15

    error = (quantise_linear(weight, 'int4', dtype).dequantise() - weight).abs()

    # The zero is rounded to the precision, and can be as large as the largest weight.
    rounding = torch.finfo(dtype).eps * groups.abs().amax(dim=2).repeat_interleave(group, dim=1)
    assert (error <= 0.54 * step + rounding + 1e-4).all()


@pytest.mark.parametrize('quantise', ['int8', 'int4'])
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('rows', [1, FEW_ROWS, FEW_ROWS + 1, 40])
def test_outputs_are_those_of_the_dequantised_weights(
    quantise: str, dtype: torch.dtype, rows: int
) -> None:
    generator = torch.Generator().manual_seed(rows)
    # More outputs than a block, and inputs that 64 does not divide.
    layer = quantise_linear(torch.randn(528, 96, generator=generator), quantise, dtype)
    x = torch.randn(1, rows, 96, generator=generator).to(dtype)

    y = layer(x)

    expected = x.float() @ layer.dequantise().T
    assert (y.shape, y.dtype) == ((1, rows, 528), dtype)
    torch.testing.assert_close(y.float(), expected, rtol=0.02, atol=0.02 * 96**0.5)


def test_scratch_blocks_change_nothing() -> None:
    weight = torch.randn(1040, 32, generator=torch.Generator().manual_seed(0))
    for quantise in ('int8', 'int4'):
        whole = quantise_linear(weight, quantise, torch.float32).dequantise()
        tail = quantise_linear(weight[-16:], quantise, torch.float32).dequantise()
        assert torch.equal(whole[-16:], tail)


def test_what_is_quantised_and_what_it_takes() -> None:
    assert is_quantised(LAYER, (14336, 4096))
    assert not is_quantised(LAYER, (14336, 4100))
    assert not is_quantised(LAYER, (14337, 4096))
    assert not is_quantised('language_model.model.layers.0.input_layernorm.weight', (4096,))
    assert not is_quantised('language_model.lm_head.weight', (128256, 4096))
    for quantise in ('int8', 'int4'):
        layer = quantise_linear(torch.zeros(32, 96), quantise, torch.bfloat16)
        size = sum(buffer.nbytes for buffer in layer.buffers())
        assert size == quantised_bytes((32, 96), quantise, 'bf16')


def test_cuda_without_bitsandbytes_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'bitsandbytes', None)
    with pytest.raises(EnvironmentMissing, match='int4 on cuda needs bitsandbytes'):
        quantise_on_cuda(torch.zeros(16, 32), 'int4', torch.bfloat16, 'cuda')
