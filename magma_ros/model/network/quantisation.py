"""Number formats of weights; only the decoder's linear layers are kept in fewer bits.

What is called int8 and int4 here is how weights are stored. What goes into such a layer is another
choice, which has its name where users meet it: int8-weights or int8-dynamic (docs/model.md).

Embeddings, output head, norms, projector and tower keep the chosen precision: they are a small
part of what a token costs, and the ones that rounding hurts most.
"""

from __future__ import annotations

from typing import Literal

Precision = Literal['fp32', 'bf16', 'fp16']
Quantisation = Literal['int8', 'int4']
Shape = tuple[int, ...]

PRECISION_BYTES = {'fp32': 4, 'bf16': 2, 'fp16': 2}
GROUPS = (64, 32)  # weights that share a scale and a zero in int4; the first that divides a row

_LAYERS = 'language_model.model.layers.'


def is_quantised(name: str, shape: Shape) -> bool:
    """Whether a tensor is one of those kept in fewer bits; its rows must fit the CPU kernels."""
    fits = len(shape) == 2 and shape[0] % 16 == 0 and shape[1] % GROUPS[-1] == 0
    return fits and name.startswith(_LAYERS)


def quantised_bytes(shape: Shape, quantise: Quantisation, precision: Precision) -> int:
    """Memory of one quantised weight with its scales."""
    rows, columns = shape
    element = PRECISION_BYTES[precision]
    if quantise == 'int8':
        return rows * columns + rows * element
    return rows * columns // 2 + rows * columns // group_size(columns) * 2 * element


def group_size(columns: int) -> int:
    """Length of int4's groups in a row of this many weights."""
    return next(group for group in GROUPS if columns % group == 0)
