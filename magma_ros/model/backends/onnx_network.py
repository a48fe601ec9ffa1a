"""The network behind a model in onnxruntime, one prompt at a time: numpy, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from magma_ros.errors import ModelError
from magma_ros.model.action_decoding import WINDOW, Choices, ScoreWindow
from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.backends.onnx_cache import OnnxCache
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.magma_config import MagmaConfig

Float32Array = NDArray[np.float32]

NUMPY_TYPES: dict[str, type[np.floating]] = {
    'tensor(float)': np.float32,
    'tensor(float16)': np.float16,
}
ON_CUDA = ('CUDAExecutionProvider', 'TensorrtExecutionProvider')


@dataclass(frozen=True)
class OnnxParts:
    """What an export consists of."""

    vision: InferenceSession
    decoder: InferenceSession
    head: InferenceSession | None  # none: exported for actions only
    embeddings: NDArray[Any]  # (vocabulary rows, d), in fp16 or fp32

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""
        rows = self.embeddings[np.asarray(ids, dtype=np.int64)]
        return rows.astype(np.float32, copy=False)


class OnnxNetwork:
    """Runs the graphs that ``onnx_graphs.py`` describes.

    There is one cache: a new prompt takes it from the prompt before.
    """

    def __init__(self, parts: OnnxParts, config: MagmaConfig) -> None:
        self._parts = parts
        self._width = config.decoder.hidden_size
        self._first_action = config.vocabulary.base_size - ACTION_BINS
        types = {entry.name: entry.type for entry in parts.decoder.get_inputs()}
        device = 'cuda' if parts.decoder.get_providers()[0] in ON_CUDA else 'cpu'
        self._cache = OnnxCache(config.decoder, NUMPY_TYPES[types['past_keys']], device)

    def encode_image(self, pixels: Float32Array, grid: Grid = (1, 1)) -> Float32Array:
        """(rows * columns, 3, base, base) crops of one picture -> (n, d)."""
        crops = pixels.reshape(*grid, *pixels.shape[1:])
        return self._parts.vision.run(None, {'pixels': crops})[0]

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""
        return self._parts.embed(ids)

    def decode(
        self, embeddings: Float32Array, cache: OnnxCache | None
    ) -> tuple[Float32Array, OnnxCache]:
        """(T, d) -> logits (vocabulary rows,) of the last; the cache given grows in place.

        Raises:
            InstructionError: the sequence gets longer than the model can read.
            ModelError: only actions were exported.
        """
        if self._parts.head is None:
            raise ModelError(
                'this model was exported for actions only and cannot answer in words: '
                'export it again with --logits all'
            )
        if cache is None:
            self._cache.rewind(0)
        hidden, _ = self._read(embeddings, wanted=1)
        return self._parts.head.run(None, {'hidden': hidden})[0][0], self._cache

    def begin_action(self, embeddings: Float32Array) -> tuple[Float32Array, ScoreWindow]:
        """(T, d) prompt -> logits (256,) of the first action id, and what scores the others."""
        self._cache.rewind(0)
        _, first_logits = self._read(embeddings, wanted=1)
        start = self._cache.length

        def score(choices: Choices) -> Float32Array:
            self._cache.rewind(start)
            return self._read(self.embed((choices + self._first_action).tolist()), wanted=WINDOW)[
                1
            ]

        return first_logits[0], score

    def _read(self, embeddings: Float32Array, wanted: int) -> tuple[Float32Array, Float32Array]:
        """Hidden states (n, d) and action logits (n, 256) of the last n = ``wanted`` tokens."""
        tokens = len(embeddings)
        results = {
            'hidden': np.empty((wanted, self._width), dtype=np.float32),
            'action_logits': np.empty((wanted, ACTION_BINS), dtype=np.float32),
        }
        binding = self._parts.decoder.io_binding()
        binding.bind_cpu_input('inputs_embeds', np.ascontiguousarray(embeddings[None]))
        binding.bind_cpu_input('logit_positions', np.arange(tokens - wanted, tokens))
        self._cache.bind(binding, tokens)
        for name, array in results.items():
            binding.bind_output(name, 'cpu', 0, np.float32, array.shape, array.ctypes.data)
        self._parts.decoder.run_with_iobinding(binding)
        return results['hidden'], results['action_logits']
