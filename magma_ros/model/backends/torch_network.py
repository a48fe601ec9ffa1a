"""The network behind a model in torch, one prompt at a time; arrays outside, tensors inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from magma_ros.model.action_decoding import Choices, ScoreWindow
from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.static_cache import StaticCache

Float32Array = NDArray[np.float32]


class TorchNetwork:
    """Runs a model in its own precision on its own device.

    There is one cache: a new prompt takes it from the prompt before.
    """

    def __init__(self, model: MagmaForAction) -> None:
        self._model = model
        self._table = model.language_model.model.embed_tokens.weight
        self._cache = model.empty_cache()
        self._first_action = model.config.vocabulary.base_size - ACTION_BINS

    @torch.inference_mode()
    def encode_image(self, pixels: Float32Array, grid: Grid = (1, 1)) -> Float32Array:
        """(rows * columns, 3, base, base) crops of one picture -> (n, d)."""
        return to_array(self._model.encode_crops(self._to_tensor(pixels), grid)[0])

    @torch.inference_mode()
    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""
        return to_array(self._embed(np.asarray(ids, dtype=np.int64)))

    @torch.inference_mode()
    def decode(
        self, embeddings: Float32Array, cache: StaticCache | None
    ) -> tuple[Float32Array, StaticCache]:
        """(T, d) -> logits (vocabulary rows,) of the last; the cache given grows in place."""
        hidden = self._read(embeddings, is_prompt=cache is None)
        return to_array(self._model.word_logits(hidden)), self._cache

    @torch.inference_mode()
    def begin_action(self, embeddings: Float32Array) -> tuple[Float32Array, ScoreWindow]:
        """(T, d) prompt -> logits (256,) of the first action id, and what scores the others."""
        first_logits = self._model.action_logits(self._read(embeddings, is_prompt=True))
        start = self._cache.length

        @torch.inference_mode()
        def score(choices: Choices) -> Float32Array:
            self._cache.rewind(start)
            hidden = self._append(self._embed(choices + self._first_action))
            return to_array(self._model.action_logits(hidden))

        return to_array(first_logits), score

    def _read(self, embeddings: Float32Array, is_prompt: bool) -> Tensor:
        """The hidden state (d,) of the last token."""
        if is_prompt:
            self._cache.rewind(0)
        return self._append(self._to_tensor(embeddings))[-1]

    def _append(self, rows: Tensor) -> Tensor:
        """(T, d) behind what the cache holds, which grows -> their hidden states (T, d)."""
        start, end = self._cache.length, self._cache.length + len(rows)
        if start == 0 or len(rows) == 1:  # what stock Llama takes for granted
            return self._model.hidden_states(rows[None], cache=self._cache)[0]
        columns = torch.arange(end, device=rows.device)
        positions = columns[start:]
        visible = columns <= positions[:, None]
        return self._model.hidden_states(
            rows[None], visible[None, None], positions[None], self._cache
        )[0]

    def _embed(self, ids: NDArray[np.int64]) -> Tensor:
        return self._model.embed(torch.from_numpy(ids).to(self._table.device))

    def _to_tensor(self, values: Float32Array) -> Tensor:
        return torch.from_numpy(values).to(self._table)


def to_array(values: Tensor) -> Float32Array:
    """On the CPU, in single precision."""
    return values.float().cpu().numpy()
