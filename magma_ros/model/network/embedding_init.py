"""Start values of the embedding tables (torch): numbers and actions start smooth.

Neighbouring numbers and neighbouring action bins get similar vectors (Fourier features of their
value through a fixed random projection), so that the model need not learn the order of 512
unrelated tokens first.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from magma_ros.model.action_tokens import action_ids, decode_action
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.text.text_tokenizer import TextTokenizer

WORD_STD = 0.7
SMOOTH_SCALE = 1.2
SMOOTH_NOISE = 0.05
HEAD_SCALE = 0.04
HARMONICS = 8


@torch.no_grad()
def initialise_embeddings(model: MagmaForAction, tokenizer: TextTokenizer, seed: int = 0) -> None:
    """Overwrites the input table and the output head of the model."""
    generator = torch.Generator().manual_seed(seed)
    table = model.language_model.model.embed_tokens.weight
    head = model.language_model.lm_head.weight
    table.normal_(0.0, WORD_STD, generator=generator)
    head.normal_(0.0, HEAD_SCALE, generator=generator)
    base = model.config.vocabulary.base_size
    numbers = np.linspace(-1.0, 1.0, 256)
    number_ids = [tokenizer.encode_text(str(number))[0] for number in range(256)]
    actions = action_ids(base)
    for ids, values in ((number_ids, numbers), (actions, decode_action(actions, base))):
        rows = torch.as_tensor(ids)
        smooth = SMOOTH_SCALE * _project(values, table.shape[1], generator)
        noise = SMOOTH_NOISE * torch.randn(smooth.shape, generator=generator)
        table[rows] = (smooth + noise).to(table)
        head[rows] = (HEAD_SCALE * _project(values, head.shape[1], generator)).to(head)


def fourier_features(values: np.ndarray) -> Tensor:
    """(n,) values in [-1, 1] -> (n, 17): value, sine and cosine of k pi value / 2, k = 1..8."""
    value = torch.as_tensor(values, dtype=torch.float32)[:, None]
    angles = value * (math.pi / 2) * torch.arange(1, HARMONICS + 1)
    return torch.cat([value, angles.sin(), angles.cos()], dim=1)


def _project(values: np.ndarray, width: int, generator: torch.Generator) -> Tensor:
    """(n, width): Fourier features through a random projection that keeps their mean square."""
    features = fourier_features(values)
    projection = torch.randn(features.shape[1], width, generator=generator)
    return features @ projection / math.sqrt(features.shape[1])
