"""Puts weights into traced graphs (torch): in the graph's precision or in int8, one at a time.

Every tensor is lazy: it is converted when it is written. So an export needs the memory of the
model it is given and of one converted tensor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import onnx_ir
import torch
from onnx_ir import DataType
from onnx_ir.convenience import replace_nodes_and_values
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass
from onnx_ir.tensor_adapters import TorchTensor, to_torch_dtype
from onnxscript import optimizer
from torch import Tensor

from magma_ros.errors import ModelError
from magma_ros.model.network.quantisation import is_quantised

# How many weights share a scale: 16 gives half the wrong ids of 32 and takes a fifth longer.
INT8_BLOCK = 16
# Level 4 multiplies in int8; the others do it in float, more slowly than with float32 weights.
INT8_ACCURACY_LEVEL = 4
INT8_ZERO = 128
CONTRIB = 'com.microsoft'

_PREFIX = 'model.'
_BLOCK = re.compile(r'language_model\.model\.layers\.(\d+)\.')


def bind_weights(model: onnx_ir.Model, tensors: Mapping[str, Tensor], int8_layers: int) -> None:
    """Replace the fake initializers of ``trace_graph``, then simplify the graph.

    Args:
        model: changed in place.
        tensors: by the names of its initializers; any floating precision.
        int8_layers: in so many of the decoder's blocks, from the first, the linear layers become
            ``MatMulNBits`` of onnxruntime.
    """
    graph = model.graph
    for name in graph.initializers.keys() & tensors:
        value = graph.initializers[name]
        value.const_value = _lazy(name, _dtype(value), tensors[name].shape, tensors[name])
    for node in list(graph):
        name = _linear_weight(node)
        if name not in tensors:
            continue
        tensor = tensors[name]
        if is_int8(name.removeprefix(_PREFIX), tuple(tensor.shape), int8_layers):
            _quantise(graph, node, name, tensor)
        else:
            # Transposed in the file, because at load time that would take its memory twice.
            dtype = _dtype(graph.initializers[name])
            shape = tensor.shape[::-1]
            transposed = _add_initializer(graph, f'{name}.T', dtype, shape, tensor, torch.t)
            node.replace_input_with(1, transposed)
    if int8_layers:
        model.opset_imports[CONTRIB] = 1
    RemoveUnusedNodesPass()(model)  # else the old transpositions are computed by the next
    optimizer.optimize(model)
    _drop_origins(model)


def is_int8(name: str, shape: tuple[int, ...], layers: int) -> bool:
    """Whether a weight is a linear layer's in the first ``layers`` blocks of the decoder."""
    block = _BLOCK.match(name)
    return block is not None and int(block[1]) < layers and is_quantised(name, shape)


def pack_blocks(weight: Tensor) -> Tensor:
    """(rows, columns) -> uint8 (rows, blocks, 16), to be multiplied with :func:`scale_blocks`.

    Symmetric, 128 is zero: the layout of ``MatMulNBits`` in onnxruntime's ContribOperators.md.
    """
    blocks = weight.float().unflatten(1, (-1, INT8_BLOCK))
    return ((blocks / scale_blocks(weight)[..., None]).round() + INT8_ZERO).to(torch.uint8)


def scale_blocks(weight: Tensor) -> Tensor:
    """(rows, columns) -> float32 (rows, blocks): 127 steps to the largest of a block."""
    largest = weight.float().unflatten(1, (-1, INT8_BLOCK)).abs().amax(dim=2)
    return largest.clamp(min=torch.finfo(torch.float32).tiny) / 127


def _lazy(
    name: str,
    dtype: DataType,
    shape: Sequence[int],
    tensor: Tensor,
    change: Callable[[Tensor], Tensor] | None = None,
) -> onnx_ir.LazyTensor:
    """The tensor, or what it is changed to, made in ``dtype`` when it is asked for."""

    def make() -> TorchTensor:
        made = tensor.detach() if change is None else change(tensor.detach())
        made = made.to(to_torch_dtype(dtype))
        if made.is_floating_point() and not bool(made.isfinite().all()):
            raise ModelError(f'{name} does not fit into {dtype.name}: export in fp32')
        return TorchTensor(made.contiguous(), name)

    return onnx_ir.LazyTensor(make, dtype, onnx_ir.Shape(shape), name=name)


def _add_initializer(
    graph: onnx_ir.Graph,
    name: str,
    dtype: DataType,
    shape: Sequence[int],
    tensor: Tensor,
    change: Callable[[Tensor], Tensor],
) -> onnx_ir.Value:
    lazy = _lazy(name, dtype, shape, tensor, change)
    value = onnx_ir.val(name, dtype, shape, const_value=lazy)
    graph.register_initializer(value)
    return value


def _dtype(value: onnx_ir.Value) -> DataType:
    if value.dtype is None:
        raise ValueError(f'{value.name} has no type: the graph was not traced')
    return value.dtype


def _linear_weight(node: onnx_ir.Node) -> str:
    """Name of the (outputs, inputs) weight of a product with a transposed initializer, or ''."""
    factor = node.inputs[1] if node.op_type == 'MatMul' else None
    transposed = None if factor is None else factor.producer()
    if transposed is None or transposed.op_type != 'Transpose':
        return ''
    weight = transposed.inputs[0]
    return weight.name or '' if weight is not None and weight.is_initializer() else ''


def _quantise(graph: onnx_ir.Graph, node: onnx_ir.Node, name: str, tensor: Tensor) -> None:
    """Put ``MatMulNBits`` in the place of a product."""
    rows, columns = tensor.shape
    shape = (rows, columns // INT8_BLOCK)
    packed = _add_initializer(
        graph, f'{name}.int8', DataType.UINT8, (*shape, INT8_BLOCK), tensor, pack_blocks
    )
    scales = _add_initializer(graph, f'{name}.scales', DataType.FLOAT, shape, tensor, scale_blocks)
    product = onnx_ir.node(
        'MatMulNBits',
        [node.inputs[0], packed, scales],
        {
            'K': columns,
            'N': rows,
            'bits': 8,
            'block_size': INT8_BLOCK,
            'accuracy_level': INT8_ACCURACY_LEVEL,
        },
        domain=CONTRIB,
    )
    replace_nodes_and_values(graph, node, [node], [product], node.outputs, product.outputs)


def _drop_origins(model: onnx_ir.Model) -> None:
    """Forget the stack traces and source paths that the exporter notes."""
    ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
    values = [*model.graph.inputs, *model.graph.initializers.values()]
    values += [value for node in model.graph.all_nodes() for value in node.outputs]
    for value in values:
        value.metadata_props.clear()
        value.doc_string = None
