"""Fills a network with the weights of a folder, one tensor at a time (torch).

The network is made on the meta device, without memory. Each stored tensor is mapped from its
file, checked, brought into its precision (or quantised) and put in place, so that never more than
the finished weights and the pages of one shard are in memory. The same pass gives the checksums:
no byte of a shard is read twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from magma_ros.errors import ModelError
from magma_ros.model.network.bitsandbytes_linear import quantise_on_cuda
from magma_ros.model.network.magma import MagmaForAction, llama_config
from magma_ros.model.network.quantisation import Precision, Quantisation, is_quantised
from magma_ros.model.network.quantised_linear import quantise_linear
from magma_ros.model.weights.byte_progress import byte_progress
from magma_ros.model.weights.checksum import Advance
from magma_ros.model.weights.model_folder import ModelFolder
from magma_ros.model.weights.stored_tensors import UNUSED_KEYS, damaged, network_name

TORCH_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
WEIGHT = '.weight'
HEADER_LENGTH_BYTES = 8


@dataclass(frozen=True)
class Placement:
    """How and where the weights are kept."""

    precision: Precision
    quantise: Quantisation | None
    device: str  # as torch names it

    @property
    def dtype(self) -> torch.dtype:
        """The precision as torch names it."""
        return TORCH_DTYPES[self.precision]


def load_weights(folder: ModelFolder, placement: Placement) -> tuple[MagmaForAction, list[str]]:
    """The network, and the SHA-256 of each shard.

    Names and shapes of the folder must have been checked.

    Raises:
        ModelError: a shard is damaged, or a weight is not finite.
        EnvironmentMissing: quantisation on CUDA without bitsandbytes.
    """
    with torch.device('meta'):
        model = MagmaForAction(folder.config)
    total_bytes = sum(shard.stat().st_size for shard in folder.shards)
    with byte_progress(f'loading {folder.config.name}', total_bytes) as advance:
        digests = [_load_shard(model, shard, placement, advance) for shard in folder.shards]
    # Its buffers are computed, not stored; in float32 whatever the weights are in.
    with torch.device(placement.device):
        rotary = LlamaRotaryEmbedding(llama_config(folder.config))
    model.language_model.model.rotary_emb = rotary
    return model.eval(), digests


def _load_shard(model: MagmaForAction, shard: Path, placement: Placement, advance: Advance) -> str:
    digest = hashlib.sha256(_read_header(shard))
    ready: dict[str, Tensor] = {}
    for stored_name, tensor in _read_tensors(shard):
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
        advance(tensor.nbytes)
        if stored_name in UNUSED_KEYS:
            continue
        name = network_name(stored_name)
        if placement.quantise and is_quantised(name, tuple(tensor.shape)):
            _require_finite(name, tensor, shard)
            layer = _quantise(tensor, placement.quantise, placement)
            model.set_submodule(name.removesuffix(WEIGHT), layer)
        else:
            # empty_like keeps the memory order the network has chosen (channels_last).
            ready[name] = torch.empty_like(
                model.get_parameter(name), dtype=placement.dtype, device=placement.device
            ).copy_(tensor)
            _require_finite(name, ready[name], shard)
    model.load_state_dict(ready, strict=False, assign=True)
    return digest.hexdigest()


def _quantise(weight: Tensor, quantise: Quantisation, placement: Placement) -> nn.Module:
    if placement.device == 'cpu':
        return quantise_linear(weight, quantise, placement.dtype)
    return quantise_on_cuda(
        weight.to(placement.dtype), quantise, placement.dtype, placement.device
    )


def _read_header(shard: Path) -> bytes:
    with shard.open('rb') as file:
        length = file.read(HEADER_LENGTH_BYTES)
        return length + file.read(int.from_bytes(length, 'little'))


def _read_tensors(shard: Path) -> Iterator[tuple[str, Tensor]]:
    """Mapped tensors in the order of their bytes; the format allows no gaps between them."""
    try:
        with safe_open(shard, framework='pt') as file:
            for name in file.offset_keys():
                yield name, file.get_tensor(name)
    except SafetensorError as error:
        raise damaged(shard, error) from error


def _require_finite(name: str, tensor: Tensor, shard: Path) -> None:
    low, high = tensor.aminmax()  # not a number if any is; allocates nothing
    if not (low.isfinite() and high.isfinite()):
        raise ModelError(
            f'{name} in {shard} holds NaN or infinite values as {tensor.dtype}: copy the file '
            'again; if they were too large for fp16, load in bf16'
        )
