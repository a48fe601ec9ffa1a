"""How much device memory a finetuning takes, estimated from shapes before anything is loaded.

Counted are weights, gradients, optimiser states and what the forward pass keeps for the backward
pass. An estimate: fragmentation, buffers of NCCL and of quantisation are in a flat margin, and no
number here was measured on a GPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from magma_ros.model.network.magma_config import MagmaConfig
from magma_ros.model.network.quantisation import (
    PRECISION_BYTES,
    Precision,
    is_quantised,
    quantised_bytes,
)
from magma_ros.model.weights.hub_folder import find_folder
from magma_ros.model.weights.memory_estimate import format_bytes
from magma_ros.model.weights.model_folder import open_folder
from magma_ros.model.weights.tensor_shapes import expected_shapes
from magma_ros.resources import asset_path
from magma_ros.training.finetuning.settings import FinetuneSettings

Sharding = Literal['none', 'full']  # full: FSDP or ZeRO-3 spread weights, gradients and moments
TEXT_TOKENS = 128  # prompt and answer about one picture
MARGIN_BYTES = 1_500_000_000  # of CUDA, its libraries and their buffers, and fragmentation
FLOAT32 = 4
BLOCK_COPIES = 16  # widths of the hidden state that one block keeps for its backward pass
MLP_COPIES = 4  # widths of its MLP


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on each device."""

    weights: int
    gradients: int
    moments: int  # two of AdamW, in float32
    activations: int
    margin: int = MARGIN_BYTES
    trained_parameters: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.moments + self.activations + self.margin


def estimate_training_memory(
    config: MagmaConfig,
    settings: FinetuneSettings,
    devices: int = 1,
    sharding: Sharding = 'none',
) -> TrainingMemory:
    """For one device of ``devices``; what learns is in float32, the rest in bf16 if mixed."""
    shapes = expected_shapes(config)
    precision: Precision = 'bf16' if settings.mixed_precision == 'bf16' else 'fp32'
    weights = trained = 0
    for name, shape in shapes.items():
        count = math.prod(shape)
        if settings.method == 'qlora' and is_quantised(name, shape):
            weights += quantised_bytes(shape, 'int4', precision)
        elif is_trained(name, settings):
            weights += count * FLOAT32
            trained += count
        else:
            weights += count * PRECISION_BYTES[precision]
    if settings.method != 'full':
        adapters = count_adapter_parameters(config, settings.lora.rank)
        trained += adapters
        weights += adapters * FLOAT32
    spread = devices if sharding == 'full' else 1
    return TrainingMemory(
        weights=weights // spread,
        gradients=trained * FLOAT32 // spread,
        moments=trained * 2 * FLOAT32 // spread,
        activations=_activations(config, settings),
        trained_parameters=trained,
    )


def is_trained(name: str, settings: FinetuneSettings) -> bool:
    """Whether a weight of the checkpoint itself learns."""
    if name.startswith('vision_tower.'):
        return settings.train_vision_tower
    if name.startswith('multi_modal_projector.'):
        return settings.train_projector
    return settings.method == 'full'


def count_adapter_parameters(config: MagmaConfig, rank: int) -> int:
    """Of LoRA on the seven linear layers of each block."""
    decoder = config.decoder
    hidden, inner = decoder.hidden_size, decoder.intermediate_size
    keys = decoder.num_key_value_heads * decoder.head_size
    widths = 2 * (hidden + hidden) + 2 * (hidden + keys) + 3 * (hidden + inner)
    return decoder.num_hidden_layers * rank * widths


def _activations(config: MagmaConfig, settings: FinetuneSettings) -> int:
    """Kept between forward and backward pass: every block's input, or all inside every block."""
    decoder = config.decoder
    element = 2 if settings.mixed_precision == 'bf16' else FLOAT32
    tokens = settings.micro_batch * (config.visual_tokens() + TEXT_TOKENS)
    block = tokens * element * (
        BLOCK_COPIES * decoder.hidden_size + MLP_COPIES * decoder.intermediate_size
    )  # fmt: skip
    kept = block * decoder.num_hidden_layers
    if settings.gradient_checkpointing:
        kept = tokens * element * decoder.hidden_size * decoder.num_hidden_layers + block
    logits = settings.micro_batch * TEXT_TOKENS * config.vocabulary.rows * FLOAT32 * 2
    return kept + logits + _tower_activations(config, settings, element)


def _tower_activations(config: MagmaConfig, settings: FinetuneSettings, element: int) -> int:
    cells = (config.preprocessor.base_img_size // 4) ** 2
    total = 0
    for stage, (width, depth) in enumerate(
        zip(config.vision.channels, config.vision.depths, strict=True)
    ):
        block = 11 * width * cells // 4**stage  # input, norm, 4 + 4 in the MLP, output
        total = total + depth * block if settings.train_vision_tower else max(total, block)
    return settings.micro_batch * total * element


def describe_memory(settings: FinetuneSettings) -> str:
    """A line to print before a run.

    Raises:
        ModelError: there is no such model.
    """
    folder = open_folder(find_folder(settings.model or asset_path('nano')))
    needed = estimate_training_memory(folder.config, settings)
    return (
        f'{folder.config.name}, {settings.method}: {needed.trained_parameters:,} parameters '
        f'learn; about {format_bytes(needed.total)} on the device, estimated '
        f'(weights {format_bytes(needed.weights)}, gradients {format_bytes(needed.gradients)}, '
        f'optimiser {format_bytes(needed.moments)}, activations '
        f'{format_bytes(needed.activations)}, margin {format_bytes(needed.margin)})'
    )
