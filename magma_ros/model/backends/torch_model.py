"""Runs a checkpoint in torch behind the same questions as every other backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.decoding import DecodingRule, choose_token
from magma_ros.model.network.magma import ChooseIds, MagmaForAction
from magma_ros.model.prompted_model import DecodingSettings, PrepareImage, PromptedModel
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.weights.checkpoint import checksum_checkpoint, load_checkpoint

Float32Array = NDArray[np.float32]


class TorchNetwork:
    """The network in torch, one prompt at a time; arrays outside, tensors inside."""

    def __init__(self, model: MagmaForAction) -> None:
        self._model = model

    @torch.inference_mode()
    def encode_image(self, pixels: Float32Array) -> Float32Array:
        """(1, 3, base, base) -> (n, d)."""
        return self._model.encode_image(torch.from_numpy(pixels))[0].numpy()

    @torch.inference_mode()
    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""
        return self._model.embed(torch.tensor(ids, dtype=torch.long)).numpy()

    @torch.inference_mode()
    def decode(
        self, embeddings: Float32Array, cache: DynamicCache | None
    ) -> tuple[Float32Array, DynamicCache]:
        """(T, d) -> logits (vocabulary rows,) of the last; the cache given grows in place."""
        cache = DynamicCache() if cache is None else cache
        hidden = self._model.hidden_states(torch.from_numpy(embeddings)[None], cache=cache)
        return self._model.language_model.lm_head(hidden[0, -1]).float().numpy(), cache


def load_torch_model(
    directory: Path, prepare_image: PrepareImage, decoding: DecodingSettings | None = None
) -> PromptedModel:
    """The model of a checkpoint folder that also holds tokenizer.json; raises ModelError."""
    model = load_checkpoint(directory)
    identity = ModelIdentity(model.config.name, checksum_checkpoint(directory))
    tokenizer = load_tokenizer(directory / 'tokenizer.json')
    network = TorchNetwork(model)
    return PromptedModel(identity, model.config, network, tokenizer, prepare_image, decoding)


def choose_action_ids(
    base_vocabulary_size: int,
    rule: DecodingRule,
    temperature: float = 1.0,
    rng: np.random.Generator | None = None,
) -> ChooseIds:
    """A ``choose`` for :meth:`MagmaForAction.generate` that takes action ids only."""
    first = base_vocabulary_size - ACTION_BINS

    def choose(logits: Tensor) -> Tensor:
        choices = logits[:, first:base_vocabulary_size].cpu().numpy()
        picked = choose_token(choices, rule, temperature, rng)
        return torch.from_numpy(picked + first).to(logits.device)

    return choose
