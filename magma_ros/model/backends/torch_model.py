"""Runs a checkpoint in torch behind the same questions as every other backend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.backends.compiled_network import CompiledNetwork
from magma_ros.model.backends.torch_network import TorchNetwork
from magma_ros.model.decoding import DecodingRule, DecodingSettings, choose_token
from magma_ros.model.network.magma import ChooseIds
from magma_ros.model.network.packed_linear import pack_model
from magma_ros.model.network.quantisation import Precision, Quantisation
from magma_ros.model.prompted_model import PrepareImage, PromptedModel
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer
from magma_ros.model.weights.checkpoint import load_identified
from magma_ros.model.weights.device_memory import CPU, choose_device
from magma_ros.model.weights.identity import mix_in


def load_torch_model(
    directory: Path,
    prepare_image: PrepareImage,
    decoding: DecodingSettings | None = None,
    dtype: Precision | None = None,
    device: str = 'cpu',
    quantise: Quantisation | None = None,
    int8_inputs: bool | None = None,
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
        int8_inputs: with int8, round what goes into those layers to 8 bits too; none means
            what is faster here (:func:`choose_int8_inputs`).

    Raises:
        ConfigurationError: this device cannot do int8 in that way.
    """
    device = choose_device(device)
    rounds_inputs = quantise == 'int8' and choose_int8_inputs(device, int8_inputs)
    model, identity = load_identified(directory, dtype, device, quantise)
    tokenizer = load_tokenizer(directory / 'tokenizer.json')
    check_tokenizer(tokenizer, model.config.vocabulary)
    if quantise == 'int8':
        kind = 'dynamic' if rounds_inputs else 'weights'
        identity = replace(mix_in(identity, 'int8', kind), name=f'{identity.name}-{kind}')
    if device == CPU:
        pack_model(model, rounds_inputs)
    # bitsandbytes' layers cannot be captured as a whole.
    is_compiled = device != CPU and quantise is None
    network = CompiledNetwork(model) if is_compiled else TorchNetwork(model)
    return PromptedModel(identity, model.config, network, tokenizer, prepare_image, decoding)


def choose_int8_inputs(device: str, wanted: bool | None = None) -> bool:
    """Whether int8 rounds the inputs of its layers too (int8-dynamic) or not (int8-weights).

    Without a wish: what is faster. Integer products take half the time of bfloat16's, but on a
    processor without VNNI their 16-bit sums overflow. On CUDA bitsandbytes knows only LLM.int8(),
    which rounds inputs except outliers.

    Raises:
        ConfigurationError: the device cannot do what is wanted.
    """
    can_round = device != CPU or torch.cpu._is_vnni_supported()
    can_keep = device == CPU
    if (wanted is True and not can_round) or (wanted is False and not can_keep):
        possible, because = (
            ('int8-weights', 'this processor has no VNNI')
            if device == CPU
            else ('int8-dynamic', 'bitsandbytes rounds inputs too')
        )
        raise ConfigurationError(
            f'int8 on {device} is {possible} only ({because}): choose that, or precision int8, '
            'which takes what the machine can do'
        )
    return can_round if wanted is None else wanted


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
