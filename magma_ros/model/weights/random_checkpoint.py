"""Writes a complete checkpoint of random weights (torch), a block at a time.

For tests, and for trying memory and speed of a size without its weights. The safetensors library
writes shards that are in memory as a whole; here the header is computed first and the numbers
follow as they are drawn, so that magma-8b is written with the memory of one block.
Format: safetensors' README: length of the header (8 bytes, little endian), header, numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from magma_ros.model.network.magma_config import MagmaConfig, write_config
from magma_ros.model.network.quantisation import PRECISION_BYTES, Precision
from magma_ros.model.text.placeholder_tokenizer import build_placeholder_tokenizer
from magma_ros.model.weights.byte_progress import byte_progress
from magma_ros.model.weights.checksum import Advance
from magma_ros.model.weights.output_folder import filling
from magma_ros.model.weights.published_config import is_expressible, write_published_config
from magma_ros.model.weights.stored_tensors import INDEX_FILE
from magma_ros.model.weights.tensor_shapes import Shape, expected_shapes
from magma_ros.model.weights.weight_loading import TORCH_DTYPES

SAFETENSORS_DTYPES = {'fp32': 'F32', 'bf16': 'BF16', 'fp16': 'F16'}
BLOCK_VALUES = 1 << 22
LAYER_SCALE = 0.1  # large enough that every block of the tower has a say
EMBEDDING_STD = 0.02  # of transformers' Llama
SPARE_BYTES = 100_000_000  # beside the weights: tokenizer, index, and some room
NOTE_FILE = 'RANDOM_WEIGHTS.txt'
NOTE = (
    'Random weights (seed {seed}) and a placeholder tokenizer, made by magma make-weights to try '
    'memory and speed. What this model answers means nothing: never let it move an arm.\n'
)


def write_random_checkpoint(
    config: MagmaConfig,
    directory: Path,
    seed: int = 0,
    precision: Precision = 'bf16',
    shard_bytes: int = 5_000_000_000,
) -> None:
    """Configuration, tokenizer, shards and index, in the released layout where it can say it.

    The same seed gives the same weights however they are split. The index comes last: a folder
    whose writing was interrupted is refused when loading.

    Args:
        config: any size.
        directory: made if missing; must be empty.
        seed: of the weights.
        precision: of the weights.
        shard_bytes: most that is put into a shard, unless one tensor is larger.

    Raises:
        ConfigurationError: the folder is not empty, the disk has too little room, or writing
            failed; then nothing stays behind.
    """
    shapes = expected_shapes(config)
    element = PRECISION_BYTES[precision]
    total_bytes = element * sum(math.prod(shape) for shape in shapes.values())
    with filling(directory, total_bytes + SPARE_BYTES):
        if is_expressible(config):
            write_published_config(config, directory)
        else:
            write_config(config, directory / 'config.json')
        (directory / NOTE_FILE).write_text(NOTE.format(seed=seed), encoding='utf-8')
        build_placeholder_tokenizer(config.vocabulary).save(str(directory / 'tokenizer.json'))
        shards = plan_shards(shapes, element, shard_bytes)
        generator = torch.Generator().manual_seed(seed)
        weight_map = {}
        with byte_progress(f'writing {config.name}', total_bytes) as advance:
            for number, tensors in enumerate(shards, start=1):
                name = f'model-{number:05}-of-{len(shards):05}.safetensors'
                _write_shard(directory / name, tensors, precision, generator, advance)
                weight_map.update(dict.fromkeys(tensors, name))
        index = {'metadata': {'total_size': total_bytes}, 'weight_map': weight_map}
        (directory / INDEX_FILE).write_text(json.dumps(index, indent=2) + '\n', encoding='utf-8')


def plan_shards(
    shapes: Mapping[str, Shape], element: int, shard_bytes: int
) -> list[dict[str, Shape]]:
    """The tensors of each shard, in their order; ``element`` is the size of a number in bytes."""
    shards: list[dict[str, Shape]] = []
    room = 0
    for name, shape in shapes.items():
        size = element * math.prod(shape)
        if size > room or not shards:
            shards.append({})
            room = shard_bytes
        shards[-1][name] = shape
        room -= size
    return shards


def _write_shard(
    path: Path,
    tensors: Mapping[str, Shape],
    precision: Precision,
    generator: torch.Generator,
    advance: Advance,
) -> None:
    header: dict[str, object] = {'__metadata__': {'format': 'pt', 'weights': 'random'}}
    end = 0
    for name, shape in tensors.items():
        start, end = end, end + PRECISION_BYTES[precision] * math.prod(shape)
        dtype = SAFETENSORS_DTYPES[precision]
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [start, end]}
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)  # the numbers start aligned
    with path.open('wb') as file:
        file.write(len(text).to_bytes(8, 'little') + text)
        for name, shape in tensors.items():
            for block in _draw_blocks(name, shape, generator):
                numbers = block.to(TORCH_DTYPES[precision]).view(torch.uint8).numpy()
                advance(file.write(numbers.data))


def _draw_blocks(name: str, shape: Shape, generator: torch.Generator) -> Iterator[Tensor]:
    """Values that keep the scale of activations: 1 / sqrt(inputs), norms 1, biases 0."""
    count = math.prod(shape)
    if len(shape) == 1:
        constant = 0.0 if name.endswith('bias') else LAYER_SCALE if 'gamma' in name else 1.0
        yield torch.full((count,), constant)
        return
    std = EMBEDDING_STD if 'embed_tokens' in name else math.prod(shape[1:]) ** -0.5
    for start in range(0, count, BLOCK_VALUES):
        size = min(BLOCK_VALUES, count - start)
        yield torch.empty(size).normal_(0.0, std, generator=generator)
