"""Linear layers with int8 or 4-bit weights on CUDA: torch modules of bitsandbytes.

int8 is LLM.int8() (arXiv 2208.07339): inputs are rounded too, except columns with an outlier.
4-bit is NF4 with full-precision inputs. Never run here, for lack of a GPU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from magma_ros.errors import EnvironmentMissing
from magma_ros.model.network.quantisation import Quantisation

OUTLIER = 6.0  # inputs from here on stay in full precision; the paper's threshold


def quantise_on_cuda(
    weight: Tensor, quantise: Quantisation, dtype: torch.dtype, device: str
) -> nn.Module:
    """(outputs, inputs) weights -> the layer on the device; quantised while they move there.

    Raises:
        EnvironmentMissing: bitsandbytes is not installed.
    """
    try:
        from bitsandbytes import nn as layers
    except ImportError as error:
        raise EnvironmentMissing(
            f'{quantise} on {device} needs bitsandbytes ({error}): pip install bitsandbytes, '
            'or load in bf16, or on the CPU, where torch does it'
        ) from error
    outputs, inputs = weight.shape
    if quantise == 'int8':
        layer = layers.Linear8bitLt(
            inputs, outputs, bias=False, has_fp16_weights=False, threshold=OUTLIER
        )
        layer.weight = layers.Int8Params(weight, requires_grad=False, has_fp16_weights=False)
    else:
        layer = layers.Linear4bit(
            inputs, outputs, bias=False, compute_dtype=dtype, quant_type='nf4'
        )
        layer.weight = layers.Params4bit(weight, requires_grad=False, quant_type='nf4')
    return layer.to(device)
