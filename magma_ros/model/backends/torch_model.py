"""Runs a checkpoint in torch behind the same questions as every other backend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.backends.torch_network import TorchNetwork
from magma_ros.model.decoding import DecodingRule, DecodingSettings, choose_token
from magma_ros.model.network.magma import ChooseIds
from magma_ros.model.network.packed_linear import pack_model
from magma_ros.model.network.quantisation import Precision, Quantisation
from magma_ros.model.prompted_model import PrepareImage, PromptedModel
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer
from magma_ros.model.weights.checkpoint import load_identified


def load_torch_model(
    directory: Path,
    prepare_image: PrepareImage,
    decoding: DecodingSettings | None = None,
    dtype: Precision | None = None,
    device: str = 'cpu',
    quantise: Quantisation | None = None,
    int8_inputs: bool = False,
) -> PromptedModel:
    """The model of a checkpoint folder that also holds tokenizer.json.

    Args:
        directory: as for ``checkpoint.load_identified``, which says what dtype, device and
            quantise mean and what is raised.
        prepare_image: ``image_preparation.prepare_image``.
        decoding: how answers are chosen.
        dtype: precision of weights and activations; none means as stored.
        device: auto, cpu, cuda, or cuda:<number>.
        quantise: keep the decoder's linear layers in so many bits.
        int8_inputs: with int8 on a CPU, round what goes into those layers to 8 bits too: twice as
            fast, a little less exact.

    Raises:
        ConfigurationError: 8-bit inputs are asked for without int8 on a CPU.
    """
    model, identity = load_identified(directory, dtype, device, quantise)
    tokenizer = load_tokenizer(directory / 'tokenizer.json')
    check_tokenizer(tokenizer, model.config.vocabulary)
    is_on_cpu = model.language_model.model.embed_tokens.weight.device.type == 'cpu'
    if int8_inputs:
        if quantise != 'int8' or not is_on_cpu:
            raise ConfigurationError(
                'int8_inputs needs quantise int8 on a CPU: set these two, or leave it out'
            )
        identity = replace(identity, name=f'{identity.name}-int8-inputs')
    if is_on_cpu:
        pack_model(model, int8_inputs)
    network = TorchNetwork(model)
    return PromptedModel(identity, model.config, network, tokenizer, prepare_image, decoding)


def choose_action_ids(
    base_vocabulary_size: int,
    rule: DecodingRule,
    temperature: float = 1.0,
    rng: np.random.Generator | None = None,
) -> ChooseIds:
    """A ``choose`` for :meth:`MagmaForAction.generate` with ``head=model.action_logits``."""
    first = base_vocabulary_size - ACTION_BINS

    def choose(logits: Tensor) -> Tensor:
        uniforms = None if rng is None else rng.random(len(logits))
        picked = choose_token(logits.cpu().numpy(), rule, temperature, uniforms)
        return torch.from_numpy(picked + first).to(logits.device)

    return choose
