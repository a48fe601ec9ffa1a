"""Magma in torch: ConvNeXt tower, projector and transformers' stock Llama; all sizes.

Key names equal those of the released checkpoint. Nothing is downloaded and no remote code runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.fixed_cache import FixedCache
from magma_ros.model.network.magma_config import MagmaConfig
from magma_ros.model.network.projector import MultiModalProjector
from magma_ros.model.network.static_cache import StaticCache
from magma_ros.model.network.vision_tower import VisionTower

Head = Callable[[Tensor], Tensor]  # hidden states (B, d) -> logits (B, n)
ChooseIds = Callable[[Tensor], Tensor]  # logits (B, n) -> ids (B,)


class MagmaForAction(nn.Module):
    """Pictures and prompts in, logits out; what the tokens mean is decided elsewhere."""

    def __init__(self, config: MagmaConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = VisionTower(config.vision)
        self.multi_modal_projector = MultiModalProjector(
            config.projector, config.vision.channels[-1], config.decoder.hidden_size
        )
        self.language_model = LlamaForCausalLM(llama_config(config))

    def encode_image(self, pixels: Tensor) -> Tensor:
        """(B, 3, base, base) normalised pixels -> (B, visual tokens, d); one crop per picture."""
        return self.multi_modal_projector(self.vision_tower(pixels))

    def encode_crops(self, pixels: Tensor, grid: tuple[int, int]) -> Tensor:
        """(rows * columns, 3, base, base) crops of ONE picture -> (1, visual tokens, d).

        Magma's "crop" strategy: the tower sees each crop alone, then the maps are put together and
        each full row ends in a separator. "global": the crops are put together first.
        """
        if self.config.preprocessor.anyres_strategy == 'global':
            whole = _tile(pixels.permute(0, 2, 3, 1), grid).permute(0, 3, 1, 2)
            return self.multi_modal_projector(self.vision_tower(whole))
        return self.multi_modal_projector(_tile(self.vision_tower(pixels), grid))

    def embed(self, ids: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, d)."""
        return self.language_model.model.embed_tokens(ids)

    def merge(
        self, prompts: Sequence[Tensor], pictures: Sequence[Sequence[Tensor]]
    ) -> tuple[Tensor, Tensor]:
        """Prompts of any lengths with their pictures, for one pass.

        Args:
            prompts: B times (T,) ids with one ``<image>`` per picture.
            pictures: B times the visual tokens (n, d) of each picture, in the prompt's order.

        Returns:
            (B, T', d) embeddings, padded with zeros on the LEFT, and the mask (B, T') of
            :meth:`hidden_states` and :meth:`generate`, 0 at padding.

        Raises:
            ValueError: a prompt has not as many placeholders as pictures.
        """
        rows = [self._merge_one(*pair) for pair in zip(prompts, pictures, strict=True)]
        longest = max(len(row) for row in rows)
        padded = [nn.functional.pad(row, (0, 0, longest - len(row), 0)) for row in rows]
        mask = rows[0].new_ones((len(rows), longest), dtype=torch.long)
        for index, row in enumerate(rows):
            mask[index, : longest - len(row)] = 0
        return torch.stack(padded), mask

    def _merge_one(self, ids: Tensor, pictures: Sequence[Tensor]) -> Tensor:
        places = (ids == self.config.vocabulary.image).nonzero().flatten().tolist()
        if len(places) != len(pictures):
            raise ValueError(f'a prompt has {len(places)} <image> for {len(pictures)} pictures')
        words = self.embed(ids)
        parts: list[Tensor] = []
        start = 0
        for place, visual_tokens in zip(places, pictures, strict=True):
            parts += [words[start:place], visual_tokens.to(words.dtype)]
            start = place + 1
        return torch.cat([*parts, words[start:]])

    def hidden_states(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: StaticCache | FixedCache | None = None,
    ) -> Tensor:
        """(B, T, d) -> (B, T, d) after the last norm.

        Args:
            inputs_embeds: what :meth:`merge` gave.
            attention_mask: none (causal), (B, T) of ones and zeros for padded batches, or a
                boolean (B or 1, 1, T, T) that says who sees whom (``prefix_sharing.py``).
            position_ids: (B or 1, T); needed with a four-dimensional mask.
            cache: keys and values of what came before; it grows.
        """
        return self.language_model.model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """(B, T, d) -> float32 logits (B, T, vocabulary rows); see :meth:`hidden_states`."""
        hidden = self.hidden_states(inputs_embeds, attention_mask, position_ids)
        return self.word_logits(hidden)

    def action_logits(self, hidden: Tensor) -> Tensor:
        """(..., d) hidden states -> (..., 256) logits of the action ids, in their order."""
        base = self.config.vocabulary.base_size
        weight = self.language_model.lm_head.weight[base - ACTION_BINS : base]
        return nn.functional.linear(hidden, weight).float()

    def word_logits(self, hidden: Tensor) -> Tensor:
        """(..., d) hidden states -> (..., vocabulary rows)."""
        return self.language_model.lm_head(hidden).float()

    def empty_cache(self, batch: int = 1) -> StaticCache:
        """A cache of the model's precision, on its device."""
        table = self.language_model.model.embed_tokens.weight
        return StaticCache(self.config.decoder, table.dtype, table.device, batch)

    @torch.inference_mode()
    def generate(
        self,
        inputs_embeds: Tensor,
        max_tokens: int,
        choose: ChooseIds,
        stop_id: int | None = None,
        attention_mask: Tensor | None = None,
        head: Head | None = None,
    ) -> Tensor:
        """Appends up to ``max_tokens`` ids with a key/value cache -> (B, n).

        Args:
            inputs_embeds: (B, T, d) prompts, padded on the LEFT when their lengths differ.
            max_tokens: 7 for an action.
            choose: picks an id per row from the logits of the head.
            stop_id: ends a row; the rest of that row repeats it.
            attention_mask: (B, T), 0 at padding.
            head: :meth:`word_logits` unless given; :meth:`action_logits` costs less.
        """
        head = head or self.word_logits
        batch, length, _ = inputs_embeds.shape
        mask = torch.ones(batch, length, dtype=torch.long, device=inputs_embeds.device)
        if attention_mask is not None:
            mask = attention_mask.long()
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        cache = self.empty_cache(batch)
        done = torch.zeros(batch, dtype=torch.bool, device=inputs_embeds.device)
        chosen: list[Tensor] = []
        while len(chosen) < max_tokens and not bool(done.all()):
            hidden = self.hidden_states(inputs_embeds, mask, positions, cache)
            ids = choose(head(hidden[:, -1]))
            if stop_id is not None:
                ids = torch.where(done, stop_id, ids)
                done |= ids == stop_id
            chosen.append(ids)
            inputs_embeds = self.embed(ids[:, None])
            mask = torch.cat([mask, mask.new_ones(batch, 1)], dim=1)
            positions = positions[:, -1:] + 1
        return torch.stack(chosen, dim=1)


def _tile(maps: Tensor, grid: Grid) -> Tensor:
    """(rows * columns, h, w, C) -> (1, rows * h, columns * w, C)."""
    rows, columns = grid
    _, height, width, channels = maps.shape
    whole = maps.reshape(rows, columns, height, width, channels).transpose(1, 2)
    return whole.reshape(1, rows * height, columns * width, channels)


def llama_config(config: MagmaConfig) -> LlamaConfig:
    """The decoder's part of the configuration in transformers' own class."""
    decoder = config.decoder
    return LlamaConfig(
        vocab_size=config.vocabulary.rows,
        hidden_size=decoder.hidden_size,
        intermediate_size=decoder.intermediate_size,
        num_hidden_layers=decoder.num_hidden_layers,
        num_attention_heads=decoder.num_attention_heads,
        num_key_value_heads=decoder.num_key_value_heads,
        max_position_embeddings=decoder.max_position_embeddings,
        rms_norm_eps=decoder.rms_norm_eps,
        rope_parameters={'rope_type': 'default', 'rope_theta': decoder.rope_theta},
        bos_token_id=config.vocabulary.begin_of_text,
        eos_token_id=config.vocabulary.end_of_turn,
        pad_token_id=None,
        tie_word_embeddings=False,
    )
