"""Saves and loads checkpoints as safetensors (torch), with a strict check of what they hold."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import get_args

from safetensors.torch import save

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import write_config
from magma_ros.model.network.quantisation import Precision, Quantisation
from magma_ros.model.weights.checksum import (
    checksum_file,
    checksum_files,
    combine_checksums,
)
from magma_ros.model.weights.device_memory import choose_device, free_memory
from magma_ros.model.weights.identity import mix_in
from magma_ros.model.weights.memory_estimate import format_bytes, require_memory
from magma_ros.model.weights.model_folder import identity_files, open_folder
from magma_ros.model.weights.tensor_shapes import check_shapes
from magma_ros.model.weights.weight_loading import Placement, load_weights

LOG = logging.getLogger(__name__)


def save_checkpoint(model: MagmaForAction, directory: Path) -> None:
    """Writes ``model.safetensors`` and ``config.json``; the caller adds the tokenizer."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    (directory / 'model.safetensors').write_bytes(save(tensors))
    write_config(model.config, directory / 'config.json')


def load_checkpoint(
    directory: Path,
    dtype: Precision | None = None,
    device: str = 'cpu',
    quantise: Quantisation | None = None,
    free_bytes: int | None = None,
) -> MagmaForAction:
    """The model of a checkpoint folder, for evaluation; see :func:`load_identified`."""
    return load_identified(directory, dtype, device, quantise, free_bytes)[0]


def load_identified(
    directory: Path,
    dtype: Precision | None = None,
    device: str = 'cpu',
    quantise: Quantisation | None = None,
    free_bytes: int | None = None,
) -> tuple[MagmaForAction, ModelIdentity]:
    """The model of a checkpoint folder, for evaluation, and what exactly was loaded.

    Never needs more memory than the finished weights and the pages of one shard.

    Args:
        directory: in the released layout or ours; ``hub_folder.find_folder`` gives it for a hub
            id.
        dtype: precision of weights and activations; none means as stored.
        device: auto, cpu, cuda, or cuda:<number>.
        quantise: keep the decoder's linear layers in so many bits.
        free_bytes: free memory of the device; none means ask it.

    Returns:
        The model, and its identity: SHA-256 over the files that were read
        (``model_folder.identity_files``), taken while reading; another precision than the stored
        one, and quantisation, are mixed in (``identity.py``).

    Raises:
        ModelError: the folder is not a complete, undamaged checkpoint of Magma in safetensors, or
            does not fit into the memory that is free.
        ConfigurationError: there is no such device or precision.
        EnvironmentMissing: the device or a library for it is not there.
    """
    _require_choice('precision', dtype, get_args(Precision))
    _require_choice('quantisation', quantise, get_args(Quantisation))
    folder = open_folder(directory)
    shapes = {name: tensor.shape for name, tensor in folder.tensors.items()}
    check_shapes(shapes, folder.config)
    placement = Placement(dtype or folder.precision, quantise, choose_device(device))
    free = free_memory(placement.device) if free_bytes is None else free_bytes
    needed = require_memory(
        folder.config, shapes, placement.precision, quantise, placement.device, free
    )
    LOG.info(
        'loading %s in %s on %s: %s of %s free',
        folder.config.name,
        quantise or placement.precision,
        placement.device,
        format_bytes(needed.total),
        format_bytes(free),
    )
    model, digests = load_weights(folder, placement)
    configuration = [path for path in identity_files(directory) if path not in folder.shards]
    checksums = [(path.name, checksum_file(path)) for path in configuration]
    checksums += [
        (shard.name, digest) for shard, digest in zip(folder.shards, digests, strict=True)
    ]
    name = f'{folder.config.name}-{quantise}' if quantise else folder.config.name
    identity = ModelIdentity(name, combine_checksums(checksums))
    if placement.precision != folder.precision:
        identity = mix_in(identity, 'precision', placement.precision)
    if quantise:
        kind = 'torch' if placement.device == 'cpu' else 'bitsandbytes'
        identity = mix_in(identity, 'quantisation', f'{quantise} of {kind}')
    return model, identity


def checksum_checkpoint(directory: Path) -> str:
    """SHA-256 over configuration, tokenizer and weights: the identity as stored."""
    return checksum_files(identity_files(directory))


def _require_choice(what: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise ConfigurationError(f'there is no {what} {value!r}: choose one of {choices}')
