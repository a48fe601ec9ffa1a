"""Linear layers whose weights are laid out once for oneDNN's kernels on a CPU (torch).

A plain linear layer hands oneDNN a row-major matrix, and each call makes do with it or reorders
it. Laid out beforehand, the same product reads its weights about twice as fast for a few rows and
is about 6 % faster for a prompt. The layout takes as much memory as the matrix it replaces. The
operators are the ones that torch's own compiler (Inductor) emits for frozen weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.quantised_linear import Int8Linear

# oneDNN's kernels read weights fastest for a block of six rows: faster than for one row, so fewer
# are filled up. Six is also what stands behind the prompt of an action.
BLOCK_ROWS = 6
UNSIGNED_ZERO = 128  # oneDNN wants unsigned inputs


class PackedLinear(nn.Module):
    """y = x W^T + b in bfloat16."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self._outputs = linear.out_features
        weight = linear.weight.detach()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, BLOCK_ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        rows = _fill_block(x)
        y = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, 'none', [], '')
        return _like(y, x)


class PackedInt8Linear(nn.Module):
    """y = x (q * scale)^T with x rounded to 8 bits too, each row with a scale of its own.

    Rounding the inputs lets the whole product run in integers: twice as fast as bfloat16 for a
    prompt, where :class:`Int8Linear` saves memory only. Rows do not influence each other.
    """

    def __init__(self, linear: Int8Linear) -> None:
        super().__init__()
        self._weight = torch.ops.onednn.qlinear_prepack(linear.weight, None)
        self._scale = linear.scale.float()
        self._zeros = torch.zeros(len(self._scale), dtype=torch.int32)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        rows = _fill_block(x).float()
        scale = rows.abs().amax(dim=1, keepdim=True).clamp_(min=1e-12).div_(127)
        whole = rows.div(scale).round_().add_(UNSIGNED_ZERO).to(torch.uint8)
        y = torch.ops.onednn.qlinear_pointwise(
            whole,
            1.0,
            UNSIGNED_ZERO,
            self._weight,
            self._scale,
            self._zeros,
            None,
            1.0,
            0,
            torch.float32,
            'none',
            [],
            '',
        )
        return _like(y.mul_(scale), x).to(x.dtype)


def pack_model(model: MagmaForAction, int8_inputs: bool = False) -> None:
    """:func:`pack_linears` on all but the output head, whose rows are wanted one by one."""
    for part in (model.vision_tower, model.multi_modal_projector, model.language_model.model):
        pack_linears(part, int8_inputs)


def pack_linears(module: nn.Module, int8_inputs: bool = False) -> None:
    """Replaces the layers below a module, one at a time: for running only, not for saving.

    Bfloat16 :class:`torch.nn.Linear` are replaced if the processor has bfloat16 products, and with
    ``int8_inputs`` :class:`Int8Linear` too, which changes results by the rounding of the inputs.
    """
    for name, child in module.named_children():  # no list: it would keep all replaced weights
        packed = _packed(child, int8_inputs)
        if packed is None:
            pack_linears(child, int8_inputs)
        else:
            setattr(module, name, packed)


def _packed(layer: nn.Module, int8_inputs: bool) -> nn.Module | None:
    if type(layer) is nn.Linear and layer.weight.dtype == torch.bfloat16:
        return PackedLinear(layer) if torch.ops.mkldnn._is_mkldnn_bf16_supported() else None
    if isinstance(layer, Int8Linear) and int8_inputs:
        return PackedInt8Linear(layer)
    return None


def _fill_block(x: Tensor) -> Tensor:
    rows = x.reshape(-1, x.shape[-1])
    missing = BLOCK_ROWS - len(rows)
    return nn.functional.pad(rows, (0, 0, 0, missing)) if missing > 0 else rows


def _like(y: Tensor, x: Tensor) -> Tensor:
    return y[: x[..., 0].numel()].reshape(*x.shape[:-1], -1)
