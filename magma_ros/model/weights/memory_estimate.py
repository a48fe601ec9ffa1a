"""How much memory a model will need, before any of it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import TOWER_STRIDE_PX, MagmaConfig
from magma_ros.model.network.quantisation import (
    PRECISION_BYTES,
    Precision,
    Quantisation,
    Shape,
    is_quantised,
    quantised_bytes,
)

TEXT_TOKENS = 512  # prompt and answer: the longest prompt and a trace of several marks
RUNTIME_BYTES = 300_000_000  # code and buffers of torch's kernels
LIVE_COPIES = 3  # of the widest layer's activations: input, output and one in between
SCRATCH_BYTES = 8  # for each value of the largest weight while it is quantised


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes on the device that holds the model."""

    weights: int
    cache: int  # keys and values of the longest prompt and answer
    activations: int  # or scratch while loading, whichever is more
    runtime: int = RUNTIME_BYTES

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.cache + self.activations + self.runtime


def estimate_memory(
    config: MagmaConfig,
    shapes: Mapping[str, Shape],
    precision: Precision,
    quantise: Quantisation | None = None,
) -> MemoryEstimate:
    """Weights by their shapes; cache and activations for the largest picture, batch one."""
    element = PRECISION_BYTES[precision]
    weights = sum(
        quantised_bytes(shape, quantise, precision)
        if quantise and is_quantised(name, shape)
        else math.prod(shape) * element
        for name, shape in shapes.items()
    )
    decoder, preprocessor = config.decoder, config.preprocessor
    crops = preprocessor.num_crops
    tokens = (
        max(config.visual_tokens((rows, crops // rows)) for rows in range(1, crops + 1))
        + TEXT_TOKENS
    )
    values_per_token = (
        2 * decoder.num_hidden_layers * decoder.num_key_value_heads * decoder.head_size
    )
    # The tower is widest inside the blocks of its first stage: four times the channels, stride 4.
    cells = (preprocessor.base_img_size * 8 // TOWER_STRIDE_PX) ** 2
    tower = crops * cells * 4 * config.vision.channels[0]
    prefill = tokens * 2 * decoder.intermediate_size
    quantised = [shape for name, shape in shapes.items() if quantise and is_quantised(name, shape)]
    scratch = SCRATCH_BYTES * max(map(math.prod, quantised), default=0)
    return MemoryEstimate(
        weights=weights,
        cache=tokens * values_per_token * element,
        activations=max(LIVE_COPIES * element * max(tower, prefill), scratch),
    )


def require_memory(
    config: MagmaConfig,
    shapes: Mapping[str, Shape],
    precision: Precision,
    quantise: Quantisation | None,
    device: str,
    free_bytes: int,
) -> MemoryEstimate:
    """The estimate, if that much is free.

    Raises:
        ModelError: it is not; the message says what each quantisation would need.
    """
    needed = estimate_memory(config, shapes, precision, quantise)
    if needed.total <= free_bytes:
        return needed
    options = [
        f'{name} needs {format_bytes(other.total)} '
        f'({"fits" if other.total <= free_bytes else "does not fit either"})'
        for name in get_args(Quantisation)
        if name != quantise
        and (other := estimate_memory(config, shapes, precision, name)).total < needed.total
    ]
    advice = f', or quantise: {", ".join(options)}' if options else ''
    raise ModelError(
        f'{config.name} in {quantise or precision} needs {format_bytes(needed.total)} on {device} '
        f'(weights {format_bytes(needed.weights)}, cache {format_bytes(needed.cache)}, '
        f'activations {format_bytes(needed.activations)}, runtime '
        f'{format_bytes(needed.runtime)}), but {format_bytes(free_bytes)} are free. '
        f'Close other programs, take another machine{advice}'
    )


def format_bytes(count: int) -> str:
    """Decimal megabytes or gigabytes."""
    return f'{count / 1e9:.1f} GB' if count >= 1e9 else f'{count / 1e6:.0f} MB'
