"""A slice of magma-8b for measuring (torch): the real width, an eighth of the depth, random.

Everything that grows with depth is cut alike, so that the parts keep their proportions: 4 of 32
decoder layers, an eighth of the rows of the output head, and 5 of the tower's 40 blocks, each of
which costs the same at every stage (width doubles while both sides halve).
"""

from __future__ import annotations

import copy
from dataclasses import asdict, replace

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from magma_ros.model.action_decoding import verify_drafts
from magma_ros.model.action_tokens import ACTION_BINS, ACTION_LENGTH
from magma_ros.model.backends.torch_network import TorchNetwork
from magma_ros.model.decoding import choose_token
from magma_ros.model.network.magma import MagmaForAction, llama_config
from magma_ros.model.network.magma_config import MAGMA_8B, MagmaConfig, VocabularyConfig
from magma_ros.model.network.quantised_linear import quantise_linear

Float32Array = NDArray[np.float32]
Choices = NDArray[np.intp]
Words = tuple[Float32Array, Float32Array]  # embeddings before and after the picture

DEPTH_SHARE = 8
TEXT_BEFORE, TEXT_AFTER = 23, 18  # ids around the picture in Magma's action prompt (313 in all)
# Random scores are often nearly tied. A lead of this share of the score is out of reach of
# bfloat16's rounding, so that equal ids mean equal computation.
CLEAR_LEAD = 0.015
MOST_PROMPTS = 40
POOL_VALUES = 16_777_259  # prime, so that no two rows of any matrix are drawn alike


def slice_config() -> MagmaConfig:
    """The configuration of the slice."""
    whole = MAGMA_8B.vocabulary
    rows = whole.rows // DEPTH_SHARE
    ids = {name: value - whole.rows + rows for name, value in asdict(whole).items()}
    return replace(
        MAGMA_8B,
        name='magma-8b-slice',
        vision=replace(MAGMA_8B.vision, depths=(1, 1, 2, 1)),
        decoder=replace(
            MAGMA_8B.decoder,
            num_hidden_layers=MAGMA_8B.decoder.num_hidden_layers // DEPTH_SHARE,
        ),
        vocabulary=VocabularyConfig(**ids),
    )


def random_slice(config: MagmaConfig, seed: int = 0) -> MagmaForAction:
    """A bfloat16 model whose likeliest words are always actions, as after training."""
    generator = torch.Generator().manual_seed(seed)
    pool = torch.randn(POOL_VALUES, generator=generator).bfloat16()
    with torch.device('meta'):
        model = MagmaForAction(config).bfloat16().eval().requires_grad_(False)
    model.to_empty(device='cpu')
    model.language_model.model.rotary_emb = LlamaRotaryEmbedding(llama_config(config))
    used = 0
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            parameter.fill_(0.0 if name.endswith('bias') else 0.3)
            continue
        repeats = (used + parameter.numel()) // POOL_VALUES + 1
        values = pool.repeat(repeats)[used : used + parameter.numel()]
        used = (used + parameter.numel()) % POOL_VALUES
        inputs = parameter[0].numel()
        parameter.copy_(values.reshape(parameter.shape)).mul_(inputs**-0.5)
    base = config.vocabulary.base_size
    model.language_model.lm_head.weight[base - ACTION_BINS : base] *= 8.0
    return model


def copy_for_packing(model: MagmaForAction) -> MagmaForAction:
    """A copy that shares embedding table and output head with the model."""
    llama = model.language_model
    shared = (llama.model.embed_tokens.weight, llama.lm_head.weight)
    return copy.deepcopy(model, {id(weight): weight for weight in shared})


def quantise_decoder(model: MagmaForAction) -> None:
    """int8 in place of the decoder's linear layers, one at a time."""
    for layer in model.language_model.model.layers:
        for part in (layer.self_attn, layer.mlp):
            for name, child in list(part.named_children()):
                if isinstance(child, torch.nn.Linear):
                    setattr(part, name, quantise_linear(child.weight, 'int8', torch.bfloat16))


def random_picture(seed: int = 0) -> NDArray[np.uint8]:
    """A camera picture (480, 640, 3) of coloured blocks."""
    blocks = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((10, 10, 1), dtype=np.uint8))


def clear_words(network: TorchNetwork, pixels: Float32Array, seed: int = 0) -> Words:
    """Random words before and after the picture whose seven greedy ids are no near ties.

    Raises:
        ValueError: none were found, so the scores are not what random weights give.
    """
    visual_tokens = network.encode_image(pixels)
    rng = np.random.default_rng(seed)
    guess = np.zeros(ACTION_LENGTH, np.intp)
    for _ in range(MOST_PROMPTS):
        words = network.embed(rng.integers(0, 256, TEXT_BEFORE + TEXT_AFTER).tolist())
        before, after = words[:TEXT_BEFORE], words[TEXT_BEFORE:]
        first, score = network.begin_action(np.concatenate([before, visual_tokens, after]))
        _, logits, _ = verify_drafts(first, score, choose_greedily, guess)
        second, best = np.sort(logits, axis=1)[:, -2:].T
        if np.all(best - second > CLEAR_LEAD * best):
            return before, after
    raise ValueError(f'{MOST_PROMPTS} random prompts all led to near ties')


def choose_greedily(logits: Float32Array, _: slice) -> Choices:
    """The likeliest of each row."""
    return choose_token(logits, 'greedy')
