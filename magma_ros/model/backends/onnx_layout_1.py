"""The first layout of exported models, in which magma-nano is shipped: one crop, no drafts.

Its decoder gives the logits of the whole vocabulary after the last token, and its cache has the
tokens in the fourth axis and is copied at every step. This file goes once nano is exported again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from magma_ros.model.backends.onnx_network import OnnxParts
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.magma_config import MagmaConfig

Float32Array = NDArray[np.float32]
StackedCache = tuple[Float32Array, Float32Array]  # (layers, 1, heads, tokens, head size) each


class LayoutOneNetwork:
    """Steps through an action id by id."""

    def __init__(self, parts: OnnxParts, config: MagmaConfig) -> None:
        self._parts = parts
        decoder = config.decoder
        shape = (decoder.num_hidden_layers, 1, decoder.num_key_value_heads, 0, decoder.head_size)
        self._empty = np.zeros(shape, dtype=np.float32)

    def encode_image(self, pixels: Float32Array, grid: Grid = (1, 1)) -> Float32Array:
        """(1, 3, base, base) -> (n, d)."""
        return self._parts.vision.run(None, {'pixels': pixels})[0][0]

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""
        return self._parts.embed(ids)

    def decode(
        self, embeddings: Float32Array, cache: StackedCache | None
    ) -> tuple[Float32Array, StackedCache]:
        """(T, d) -> logits (vocabulary rows,) of the last, and the longer cache."""
        keys, values = cache or (self._empty, self._empty)
        start = keys.shape[3]
        logits, new_keys, new_values = self._parts.decoder.run(
            None,
            {
                'inputs_embeds': embeddings[None],
                'past_keys': keys,
                'past_values': values,
                'positions': np.arange(start, start + len(embeddings), dtype=np.int64)[None],
            },
        )
        keys = np.concatenate([keys, new_keys], axis=3)
        values = np.concatenate([values, new_values], axis=3)
        return logits[0], (keys, values)
