"""Linear layers with int8 or int4 weights and full-precision inputs, on a CPU (torch).

int8: one scale for each output, symmetric. int4: a scale and a zero for each group of a row. Both
round to the nearest value that the stored scales can express. The kernels are torch's own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from magma_ros.model.network.quantisation import Quantisation, group_size

# Up to here torch's int8 kernel beats a matrix product with unpacked weights.
FEW_ROWS = 8
# Unpacked weights of this many outputs stay in the cache until they are used.
BLOCK_ROWS = 512
# Outputs quantised at a time: bounds the scratch memory while loading.
SCRATCH_ROWS = 1024
_INT4_TILES = 2  # of torch's packed layout on CUDA; ignored on a CPU


class Int8Linear(nn.Module):
    """y = x (q * scale)^T without bias."""

    weight: Tensor  # (outputs, inputs) int8
    scale: Tensor  # (outputs,) in the precision of the inputs

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer('weight', weight)
        self.register_buffer('scale', scale)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        rows = x.reshape(-1, x.shape[-1])
        if len(rows) <= FEW_ROWS:
            y = torch._weight_int8pack_mm(rows, self.weight, self.scale)
        else:
            blocks = self.weight.split(BLOCK_ROWS)
            parts = [nn.functional.linear(rows, block.to(rows.dtype)) for block in blocks]
            y = torch.cat(parts, dim=1) * self.scale
        return y.reshape(*x.shape[:-1], -1)

    def dequantise(self) -> Tensor:
        """(outputs, inputs) float32: the weights that are really multiplied with."""
        return self.weight.float() * self.scale.float()[:, None]


class Int4Linear(nn.Module):
    """y = x ((q - 8) * scale + zero)^T without bias, q in 0..15."""

    packed: Tensor  # (outputs, inputs / 2) uint8, in torch's own order
    scales_and_zeros: Tensor  # (groups, outputs, 2) in the precision of the inputs

    def __init__(self, packed: Tensor, scales_and_zeros: Tensor, group: int) -> None:
        super().__init__()
        self.group = group
        self.register_buffer('packed', packed)
        self.register_buffer('scales_and_zeros', scales_and_zeros)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        rows = x.reshape(-1, x.shape[-1])
        y = torch._weight_int4pack_mm_for_cpu(rows, self.packed, self.group, self.scales_and_zeros)
        return y.reshape(*x.shape[:-1], -1)

    def dequantise(self) -> Tensor:
        """(outputs, inputs) float32: the weights that are really multiplied with."""
        inputs = self.scales_and_zeros.shape[0] * self.group
        identity = torch.eye(inputs)
        return torch._weight_int4pack_mm_for_cpu(
            identity, self.packed, self.group, self.scales_and_zeros.float()
        ).T


def quantise_linear(
    weight: Tensor, quantise: Quantisation, dtype: torch.dtype
) -> Int8Linear | Int4Linear:
    """(outputs, inputs) finite weights -> the layer; ``dtype`` is that of its inputs.

    Shapes must be those of ``quantisation.is_quantised``: the kernels do not check them all.
    """
    return _int8_linear(weight, dtype) if quantise == 'int8' else _int4_linear(weight, dtype)


def _int8_linear(weight: Tensor, dtype: torch.dtype) -> Int8Linear:
    whole = torch.empty(weight.shape, dtype=torch.int8)
    scales = torch.empty(weight.shape[0], dtype=dtype)
    blocks = zip(weight.split(SCRATCH_ROWS), whole.split(SCRATCH_ROWS), strict=True)
    for (block, target), scale in zip(blocks, scales.split(SCRATCH_ROWS), strict=True):
        # Rounded before it is used, so that the integers make up for its rounding.
        scale.copy_(_not_zero((block.abs().amax(dim=1).float() / 127).to(dtype)))
        target.copy_((block.float() / scale.float()[:, None]).round_().clamp_(-127, 127))
    return Int8Linear(whole, scales)


def _int4_linear(weight: Tensor, dtype: torch.dtype) -> Int4Linear:
    outputs, inputs = weight.shape
    group = group_size(inputs)
    whole = torch.empty(outputs, inputs // group, group, dtype=torch.int32)
    scales_and_zeros = torch.empty(outputs, inputs // group, 2, dtype=dtype)
    blocks = weight.reshape(whole.shape).split(SCRATCH_ROWS)
    targets = zip(whole.split(SCRATCH_ROWS), scales_and_zeros.split(SCRATCH_ROWS), strict=True)
    for block, (target, parameters) in zip(blocks, targets, strict=True):
        low, high = block.float().aminmax(dim=2)
        # Steps finer than what the zero is rounded to would gain nothing.
        finest = torch.finfo(dtype).eps * torch.maximum(low.abs(), high.abs())
        scale = _not_zero(torch.maximum((high - low) / 15, finest).to(dtype))
        zero = (low + 8 * scale.float()).to(dtype)
        parameters.copy_(torch.stack([scale, zero], dim=2))
        steps = (block.float() - zero.float()[..., None]) / scale.float()[..., None]
        target.copy_(steps.round_().add_(8).clamp_(0, 15))
    packed = torch._convert_weight_to_int4pack_for_cpu(whole.flatten(1), _INT4_TILES)
    return Int4Linear(packed, scales_and_zeros.transpose(0, 1).contiguous(), group)


def _not_zero(scale: Tensor) -> Tensor:
    return torch.where(scale == 0, 1, scale)
