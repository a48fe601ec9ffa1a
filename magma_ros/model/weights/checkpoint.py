"""Saves and loads weights as safetensors (torch), with a strict check of every name and shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from magma_ros.errors import ModelError
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MagmaConfig, read_config, write_config
from magma_ros.model.weights.checksum import checksum_files

Shape = tuple[int, ...]

# In some copies of the released checkpoint, and never used: Magma takes the map before them.
UNUSED_KEYS = frozenset(
    {
        'vision_tower.clip_vision_model.trunk.head.norm.weight',
        'vision_tower.clip_vision_model.trunk.head.norm.bias',
        'vision_tower.clip_vision_model.head.proj.weight',
    }
)
# Tools have spelled the layer scale both ways; a block has no other parameter of its own.
_LAYER_SCALE = re.compile(r'(\.blocks\.\d+)\.weight$')
LISTED_DIFFERENCES = 12


def save_checkpoint(model: MagmaForAction, directory: Path) -> None:
    """Writes ``model.safetensors`` and ``config.json``; the caller adds the tokenizer."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    (directory / 'model.safetensors').write_bytes(save(tensors))
    write_config(model.config, directory / 'config.json')


def load_checkpoint(directory: Path) -> MagmaForAction:
    """The model of a folder with ``config.json`` and ``model*.safetensors``, for evaluation.

    Raises:
        ModelError: a file is missing or damaged, or names and shapes are not those of the
            configuration.
    """
    config = read_config(directory / 'config.json')
    files = weight_files(directory)
    tensors = dict(_read_tensors(files))
    check_shapes({name: tuple(tensor.shape) for name, tensor in tensors.items()}, config)
    model = MagmaForAction(config)
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def checksum_checkpoint(directory: Path) -> str:
    """SHA-256 over configuration and weights: the identity that goes into recordings."""
    return checksum_files([directory / 'config.json', *weight_files(directory)])


def weight_files(directory: Path) -> list[Path]:
    """The safetensors files of a checkpoint, in order; raises ModelError if there are none."""
    files = sorted(directory.glob('model*.safetensors'))
    if not files:
        raise ModelError(f'{directory} has no model*.safetensors: give the folder of a checkpoint')
    return files


def expected_shapes(config: MagmaConfig) -> dict[str, Shape]:
    """Name and shape of every tensor, without allocating any."""
    with torch.device('meta'):
        model = MagmaForAction(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check_shapes(found: Mapping[str, Shape], config: MagmaConfig) -> None:
    """Raises ModelError that lists what is missing, unknown or of another shape."""
    expected = expected_shapes(config)
    differences = [f'missing  {name} {expected[name]}' for name in sorted(expected.keys() - found)]
    differences += [f'unknown  {name} {found[name]}' for name in sorted(found.keys() - expected)]
    differences += [
        f'shape    {name} is {found[name]}, expected {expected[name]}'
        for name in sorted(expected.keys() & found)
        if found[name] != expected[name]
    ]
    if differences:
        listed = '\n  '.join(differences[:LISTED_DIFFERENCES])
        rest = len(differences) - LISTED_DIFFERENCES
        more = f'\n  and {rest} more' if rest > 0 else ''
        raise ModelError(
            f'the weights are not those of {config.name} '
            f'({len(expected)} tensors expected, {len(found)} found):\n  {listed}{more}\n'
            'give the folder of the matching checkpoint, or the config.json of these weights'
        )


def _read_tensors(files: list[Path]) -> Iterator[tuple[str, Tensor]]:
    for path in files:
        try:
            with safe_open(path, framework='pt') as file:
                for name in file.keys():  # noqa: SIM118 - not a dictionary
                    if name not in UNUSED_KEYS:
                        yield _LAYER_SCALE.sub(r'\1.gamma', name), file.get_tensor(name)
        except SafetensorError as error:
            raise ModelError(f'{path} is damaged ({error}): copy it again') from error
