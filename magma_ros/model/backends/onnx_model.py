"""Loads an exported model for onnxruntime: numpy, onnxruntime and tokenizers, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from onnxruntime import InferenceSession
from safetensors import SafetensorError
from safetensors.numpy import load_file

from magma_ros.errors import ModelError
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.backends.onnx_layout_1 import LayoutOneNetwork
from magma_ros.model.backends.onnx_network import OnnxNetwork, OnnxParts
from magma_ros.model.backends.onnx_session import choose_providers, open_session
from magma_ros.model.network.magma_config import MagmaConfig, read_config
from magma_ros.model.prompted_model import (
    DecodingSettings,
    Network,
    PrepareImage,
    PromptedModel,
)
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer
from magma_ros.model.weights.checksum import checksum_files, require_undamaged

FILES = ('config.json', 'decoder.onnx', 'embeddings.safetensors', 'tokenizer.json', 'vision.onnx')
HEAD_FILE = 'head.onnx'  # not there if only actions were exported
DATA_ENDING = '.data'  # of a graph's weights, where they are too big for it
EMBEDDING_KEY = 'embed_tokens.weight'
LAYOUT_KEY = 'magma_layout'  # in the metadata of the graphs
LAYOUT = '2'


def load_onnx_model(
    directory: Path,
    prepare_image: PrepareImage,
    decoding: DecodingSettings | None = None,
    threads: int = 1,
    providers: Sequence[str] = ('cpu',),
) -> PromptedModel:
    """The model that ``export_onnx`` wrote.

    Args:
        directory: of the files.
        prepare_image: ``image_preparation.prepare_image``.
        decoding: how answers are chosen.
        threads: of the CPU.
        providers: keys of ``onnx_session.PROVIDERS``, the preferred one first.

    Raises:
        ModelError: a file is missing, damaged, of another model or of an unknown layout.
        ConfigurationError: a provider is unknown or not part of this onnxruntime.
        EnvironmentMissing: a provider did not start.
    """
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise ModelError(
            f'{directory} lacks {missing}: export it again (magma export) or give another folder'
        )
    require_undamaged(directory)
    config = read_config(directory / 'config.json')
    identity = ModelIdentity(config.name, checksum_files(exported_files(directory)))
    network = open_network(directory, config, threads, providers)
    tokenizer = load_tokenizer(directory / 'tokenizer.json')
    check_tokenizer(tokenizer, config.vocabulary)
    return PromptedModel(identity, config, network, tokenizer, prepare_image, decoding)


def open_network(
    directory: Path, config: MagmaConfig, threads: int = 1, providers: Sequence[str] = ('cpu',)
) -> Network:
    """The graphs and the embedding table of a folder; see :func:`load_onnx_model`."""
    chosen = choose_providers(providers)
    vision, decoder = (
        open_session(directory / name, chosen, threads) for name in ('vision.onnx', 'decoder.onnx')
    )
    head = None
    if (directory / HEAD_FILE).is_file():
        head = open_session(directory / HEAD_FILE, chosen, threads)
    layouts = {_layout(session) for session in (vision, decoder, head) if session}
    parts = OnnxParts(vision, decoder, head, _read_embeddings(directory, config))
    if layouts == {LAYOUT}:
        return OnnxNetwork(parts, config)
    if layouts == {'1'}:
        return LayoutOneNetwork(parts, config)
    raise ModelError(
        f'{directory} holds graphs of layout {" and ".join(sorted(layouts))}, this version reads '
        f'1 or {LAYOUT}: export all of it again with this version'
    )


def exported_files(directory: Path) -> list[Path]:
    """The files that decide the model's answers, in the order in which they are hashed."""
    data = {path.name for path in directory.glob(f'*.onnx{DATA_ENDING}')}
    names = sorted({*FILES, HEAD_FILE, *data})
    return [path for name in names if (path := directory / name).is_file()]


def _layout(session: InferenceSession) -> str:
    return session.get_modelmeta().custom_metadata_map.get(LAYOUT_KEY, '1')


def _read_embeddings(directory: Path, config: MagmaConfig) -> NDArray[Any]:
    path = directory / 'embeddings.safetensors'
    try:
        table = load_file(path).get(EMBEDDING_KEY)
    except SafetensorError as error:
        raise ModelError(f'{path} is damaged ({error}): copy it again') from error
    expected = (config.vocabulary.rows, config.decoder.hidden_size)
    if table is None or table.shape != expected:
        found = 'not there' if table is None else table.shape
        raise ModelError(
            f'embeddings in {directory} are {found}, but config.json says {expected}: '
            'they are of another model, export all of it again'
        )
    return table
