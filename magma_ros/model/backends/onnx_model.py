"""Runs an exported model with onnxruntime: numpy, onnxruntime and tokenizers, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors
from safetensors.numpy import load_file

from magma_ros.errors import ModelError
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.network.magma_config import MagmaConfig, read_config
from magma_ros.model.prompted_model import DecodingSettings, PrepareImage, PromptedModel
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.weights.checksum import checksum_files, require_undamaged

Float32Array = NDArray[np.float32]

FILES = ('config.json', 'decoder.onnx', 'embeddings.safetensors', 'tokenizer.json', 'vision.onnx')
EMBEDDING_KEY = 'embed_tokens.weight'
ONNX_ERRORS = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NotImplemented,
)


@dataclass(frozen=True)
class _KeysAndValues:
    """(layers, 1, heads, tokens, head size) each."""

    keys: Float32Array
    values: Float32Array


class OnnxNetwork:
    """Tower and decoder as onnxruntime sessions, the embedding table as an array."""

    def __init__(
        self,
        directory: Path,
        config: MagmaConfig,
        threads: int = 1,
        providers: Sequence[str] = ('CPUExecutionProvider',),
    ) -> None:
        """Loads the sessions; raises ModelError if a file is damaged or of another model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads would take the core the control loop needs.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.log_severity_level = 3
        self._vision = _open(directory / 'vision.onnx', options, providers)
        self._decoder = _open(directory / 'decoder.onnx', options, providers)
        self._table = load_file(directory / 'embeddings.safetensors')[EMBEDDING_KEY]
        expected = (config.vocabulary.rows, config.decoder.hidden_size)
        if self._table.shape != expected:
            raise ModelError(
                f'embeddings in {directory} are {self._table.shape}, but config.json says '
                f'{expected}: '
                'export the model again'
            )
        decoder = config.decoder
        head_size = decoder.hidden_size // decoder.num_attention_heads
        shape = (decoder.num_hidden_layers, 1, decoder.num_key_value_heads, 0, head_size)
        nothing = np.zeros(shape, dtype=np.float32)
        self._empty = _KeysAndValues(nothing, nothing)

    def encode_image(self, pixels: Float32Array) -> Float32Array:
        """(1, 3, base, base) -> (n, d)."""
        return self._vision.run(None, {'pixels': pixels})[0][0]

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""
        return self._table[np.asarray(ids, dtype=np.int64)]

    def decode(
        self, embeddings: Float32Array, cache: _KeysAndValues | None
    ) -> tuple[Float32Array, _KeysAndValues]:
        """(T, d) -> logits (vocabulary rows,) after the last one, and the longer cache."""
        past = cache or self._empty
        start = past.keys.shape[3]
        logits, keys, values = self._decoder.run(
            None,
            {
                'inputs_embeds': embeddings[None],
                'past_keys': past.keys,
                'past_values': past.values,
                'positions': np.arange(start, start + len(embeddings), dtype=np.int64)[None],
            },
        )
        longer = _KeysAndValues(
            np.concatenate([past.keys, keys], axis=3),
            np.concatenate([past.values, values], axis=3),
        )
        return logits[0], longer


def load_onnx_model(
    directory: Path,
    prepare_image: PrepareImage,
    decoding: DecodingSettings | None = None,
    threads: int = 1,
    providers: Sequence[str] = ('CPUExecutionProvider',),
) -> PromptedModel:
    """The model that ``export_onnx`` wrote.

    Raises:
        ModelError: a file is missing, damaged, or of another model.
    """
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise ModelError(f'{directory} lacks {missing}: export again or give another folder')
    require_undamaged(directory)
    config = read_config(directory / 'config.json')
    identity = ModelIdentity(config.name, checksum_files([directory / name for name in FILES]))
    network = OnnxNetwork(directory, config, threads, providers)
    tokenizer = load_tokenizer(directory / 'tokenizer.json')
    return PromptedModel(identity, config, network, tokenizer, prepare_image, decoding)


def _open(
    path: Path, options: onnxruntime.SessionOptions, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=list(providers))
    except ONNX_ERRORS as error:
        raise ModelError(f'{path} cannot be opened: {error}; export the model again') from error
