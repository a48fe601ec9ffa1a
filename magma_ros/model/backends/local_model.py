"""Loads any local checkpoint: an exported one through ONNX Runtime, others through torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.model.action_scaling import ActionStatistics, choose_statistics
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.model.decoding import DecodingSettings
from magma_ros.model.network.quantisation import Precision, Quantisation
from magma_ros.model.prompted_model import PrepareImage, PromptedModel
from magma_ros.model.weights.hub_folder import find_folder
from magma_ros.model.weights.identity import mix_in_statistics

PrecisionName = Literal[
    'as stored', 'fp32', 'bf16', 'fp16', 'int8', 'int8-weights', 'int8-dynamic', 'int4'
]
# Of everything, of the decoder's linear layers, and whether their inputs are rounded to int8 too.
PRECISIONS: dict[PrecisionName, tuple[Precision | None, Quantisation | None, bool | None]] = {
    'as stored': (None, None, None),
    'fp32': ('fp32', None, None),
    'bf16': ('bf16', None, None),
    'fp16': ('fp16', None, None),
    'int8': ('bf16', 'int8', None),  # the faster of the next two on this machine
    'int8-weights': ('bf16', 'int8', False),
    'int8-dynamic': ('bf16', 'int8', True),
    'int4': ('bf16', 'int4', None),
}


@dataclass(frozen=True)
class LocalSettings:
    """How a local model is run."""

    threads: int = 1  # of ONNX Runtime
    precision: PrecisionName = 'as stored'  # of a torch checkpoint; an exported one has its own
    device: str = 'auto'  # of a torch checkpoint: auto, cpu, cuda, cuda:<number>
    decoding: DecodingSettings | None = None


def load_local_model(
    model: str | Path, prepare_image: PrepareImage, settings: LocalSettings
) -> tuple[PromptedModel, Path]:
    """The model, and the folder it was found in.

    Args:
        model: a folder, or a pinned revision on the hub (``hub_folder.find_folder``).
        prepare_image: ``image_preparation.prepare_image``.
        settings: how to run it.

    Raises:
        ModelError: there is no such folder, or what it holds is incomplete, damaged, foreign or
            too large for the memory that is free.
        ConfigurationError: an exported model is asked for in another precision or on a GPU.
        EnvironmentMissing: torch is needed and not installed.
    """
    folder = find_folder(model)
    if (folder / 'decoder.onnx').is_file():
        if settings.precision != 'as stored' or settings.device not in ('auto', 'cpu'):
            raise ConfigurationError(
                f'{folder} holds an exported model, which has its own precision and is run on the '
                'CPU here: leave precision and device out, or give the checkpoint it was made of'
            )
        loaded = load_onnx_model(folder, prepare_image, settings.decoding, settings.threads)
        return loaded, folder
    try:
        from magma_ros.model.backends.torch_model import load_torch_model
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed, and {folder} holds no exported model: '
            'pip install -e ".[torch]"'
        ) from error
    dtype, quantise, int8_inputs = PRECISIONS[settings.precision]
    loaded = load_torch_model(
        folder, prepare_image, settings.decoding, dtype, settings.device, quantise, int8_inputs
    )
    return loaded, folder


def settle_statistics(model: PromptedModel, folder: Path, wanted: str | None) -> ActionStatistics:
    """The statistics a local model acts with; from now on they are part of its identity.

    Args:
        model: as :func:`load_local_model` gave it.
        folder: where it was found.
        wanted: key asked for; none means the model's own.

    Raises:
        ConfigurationError: see ``action_scaling.choose_statistics``.
    """
    own = model.config.statistics_key
    statistics = choose_statistics(folder, wanted, own)
    model.identity = mix_in_statistics(model.identity, statistics, own)
    return statistics
