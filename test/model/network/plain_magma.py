"""Magma once more from other people's pieces (torch), to compare ours with.

The tower is transformers' own ConvNext, the decoder its Llama with its own ``generate``; the
projector is a loop over rows that reads like the paper. Weights are copied by name.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import ConvNextConfig, ConvNextModel, LlamaConfig, LlamaForCausalLM

from magma_ros.model.network.crops import Grid
from magma_ros.model.network.magma_config import MagmaConfig

TRUNK = 'vision_tower.clip_vision_model.trunk.'
# Ours (timm's) within a block -> transformers'.
BLOCK_NAMES = {
    'conv_dw': 'dwconv',
    'norm': 'layernorm',
    'mlp.fc1': 'pwconv1',
    'mlp.fc2': 'pwconv2',
}
Tensors = dict[str, Tensor]


class PlainMagma:
    """The same questions as ``MagmaForAction``, answered without its code."""

    def __init__(self, config: MagmaConfig, tensors: Tensors) -> None:
        self._tensors = tensors
        self._tower = plain_tower(config, tensors)
        self._decoder = plain_decoder(config, tensors)
        self._image = config.vocabulary.image

    def see(self, crops: Tensor, grid: Grid) -> Tensor:
        """(rows * columns, 3, base, base) -> (n, d) by the "crop" strategy."""
        maps = self._tower(crops).last_hidden_state  # (crops, C, h, w)
        tokens: list[Tensor] = []
        for grid_row in range(grid[0]):
            beside = [maps[grid_row * grid[1] + column] for column in range(grid[1])]
            for map_row in range(maps.shape[2]):
                tokens += [
                    self._project(crop[:, map_row, place])
                    for crop in beside
                    for place in range(maps.shape[3])
                ]
                tokens.append(self._tensors['multi_modal_projector.row_seperator'][0, 0])
        return torch.stack(tokens)

    def read(self, ids: list[int], pictures: list[Tensor]) -> Tensor:
        """(1, T, d) embeddings."""
        table = self._tensors['language_model.model.embed_tokens.weight']
        waiting = iter(pictures)
        parts = [next(waiting) if token == self._image else table[token][None] for token in ids]
        return torch.cat(parts)[None]

    def hidden_states(self, embeddings: Tensor) -> Tensor:
        """(1, T, d) after the last norm."""
        return self._decoder.model(inputs_embeds=embeddings).last_hidden_state

    def generate(self, embeddings: Tensor, count: int) -> list[int]:
        """Greedy ids by transformers' own loop."""
        ids = self._decoder.generate(
            inputs_embeds=embeddings,
            attention_mask=torch.ones(embeddings.shape[:2], dtype=torch.long),
            do_sample=False,
            min_new_tokens=count,
            max_new_tokens=count,
        )
        return ids[0].tolist()

    def _project(self, cell: Tensor) -> Tensor:
        name = 'multi_modal_projector.proj'
        first = self._tensors[f'{name}.0.weight'] @ cell + self._tensors[f'{name}.0.bias']
        rounded = 0.5 * first * (1 + torch.erf(first / 2**0.5))
        return self._tensors[f'{name}.2.weight'] @ rounded + self._tensors[f'{name}.2.bias']


def plain_tower(config: MagmaConfig, tensors: Tensors) -> ConvNextModel:
    """transformers' ConvNext with our weights and without its pooled norm."""
    vision = config.vision
    tower = ConvNextModel(
        ConvNextConfig(
            hidden_sizes=list(vision.channels),
            depths=list(vision.depths),
            layer_scale_init_value=1.0,
        )
    ).eval()
    for module in tower.modules():
        if hasattr(module, 'eps'):
            module.eps = vision.layer_norm_eps
    renamed: Tensors = {}
    for kind in ('weight', 'bias'):
        renamed[f'embeddings.patch_embeddings.{kind}'] = tensors[f'{TRUNK}stem.0.{kind}']
        renamed[f'embeddings.layernorm.{kind}'] = tensors[f'{TRUNK}stem.1.{kind}']
        for stage, depth in enumerate(vision.depths):
            ours, theirs = f'{TRUNK}stages.{stage}', f'encoder.stages.{stage}'
            for part in (0, 1) if stage else ():
                renamed[f'{theirs}.downsampling_layer.{part}.{kind}'] = tensors[
                    f'{ours}.downsample.{part}.{kind}'
                ]
            for block in range(depth):
                for our_name, their_name in BLOCK_NAMES.items():
                    renamed[f'{theirs}.layers.{block}.{their_name}.{kind}'] = tensors[
                        f'{ours}.blocks.{block}.{our_name}.{kind}'
                    ]
                renamed[f'{theirs}.layers.{block}.layer_scale_parameter'] = tensors[
                    f'{ours}.blocks.{block}.gamma'
                ]
    missing = tower.load_state_dict(renamed, strict=False)
    assert missing.unexpected_keys == []
    assert set(missing.missing_keys) == {'layernorm.weight', 'layernorm.bias'}
    return tower


def plain_decoder(config: MagmaConfig, tensors: Tensors) -> LlamaForCausalLM:
    """transformers' Llama, configured here from the published names."""
    decoder = config.decoder
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocabulary.rows,
            hidden_size=decoder.hidden_size,
            intermediate_size=decoder.intermediate_size,
            num_hidden_layers=decoder.num_hidden_layers,
            num_attention_heads=decoder.num_attention_heads,
            num_key_value_heads=decoder.num_key_value_heads,
            max_position_embeddings=decoder.max_position_embeddings,
            rms_norm_eps=decoder.rms_norm_eps,
            rope_theta=decoder.rope_theta,
            eos_token_id=config.vocabulary.end_of_turn,
            pad_token_id=config.vocabulary.pad,
        )
    ).eval()
    prefix = 'language_model.'
    llama.load_state_dict(
        {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
    )
    return llama
