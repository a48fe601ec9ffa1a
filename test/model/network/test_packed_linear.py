from __future__ import annotations

import weakref

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.model.network import packed_linear  # noqa: E402
from magma_ros.model.network.packed_linear import (  # noqa: E402
    PackedInt8Linear,
    PackedLinear,
    pack_linears,
)
from magma_ros.model.network.quantised_linear import Int8Linear, quantise_linear  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize('rows', [(1,), (6,), (2, 3), (40,)])
@pytest.mark.parametrize('bias', [True, False])
def test_packed_equals_plain(rows: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    plain = torch.nn.Linear(96, 160, bias=bias).bfloat16()
    x = torch.randn(*rows, 96).bfloat16()
    with torch.inference_mode():
        found = PackedLinear(plain)(x)
        assert found.shape == (*rows, 160)
        torch.testing.assert_close(found, plain(x), atol=2e-2, rtol=2e-2)


@torch.inference_mode()
def test_int8_inputs_are_close_and_rows_independent() -> None:
    torch.manual_seed(0)
    weights_only = quantise_linear(torch.randn(160, 96) * 0.1, 'int8', torch.bfloat16)
    assert isinstance(weights_only, Int8Linear)
    packed = PackedInt8Linear(weights_only)
    x = torch.randn(30, 96).bfloat16()
    exact = x.float() @ weights_only.dequantise().T
    found = packed(x)
    error = (found.float() - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert error < 0.015
    x[3:] *= 1000
    assert torch.equal(packed(x)[:3], found[:3])
    assert torch.equal(packed(torch.zeros(1, 96).bfloat16()), torch.zeros(1, 160).bfloat16())


def test_only_what_gains_is_replaced() -> None:
    module = torch.nn.Sequential(
        torch.nn.Linear(32, 32).bfloat16(),
        torch.nn.Sequential(torch.nn.Linear(32, 32)),
        quantise_linear(torch.randn(32, 32), 'int8', torch.bfloat16),
    )
    pack_linears(module)
    kinds = [type(child) for child in (module[0], module[1][0], module[2])]
    assert kinds == [PackedLinear, torch.nn.Linear, Int8Linear]
    pack_linears(module, int8_inputs=True)
    assert isinstance(module[2], PackedInt8Linear)


def test_replaced_weights_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [torch.nn.Sequential(torch.nn.Linear(32, 32).bfloat16()) for _ in range(4)]
    module = torch.nn.Sequential(*blocks)
    waiting = [weakref.ref(block[0].weight) for block in blocks]
    del blocks
    kept: list[int] = []

    class Watched(PackedLinear):
        def __init__(self, linear: torch.nn.Linear) -> None:
            kept.append(sum(weight() is not None for weight in waiting))
            super().__init__(linear)

    monkeypatch.setattr(packed_linear, 'PackedLinear', Watched)
    pack_linears(module)

    assert kept == [4, 3, 2, 1]
