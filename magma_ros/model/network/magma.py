"""Magma in torch: ConvNeXt tower, projector and transformers' stock Llama; all sizes.

Key names equal those of the released checkpoint. Nothing is downloaded and no remote code runs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.network.magma_config import MagmaConfig
from magma_ros.model.network.projector import MultiModalProjector
from magma_ros.model.network.vision_tower import VisionTower

ChooseIds = Callable[[Tensor], Tensor]  # logits (B, vocabulary rows) -> ids (B,)


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
        each full row ends in a separator.
        """
        maps = self.vision_tower(pixels)
        _, height, width, channels = maps.shape
        rows, columns = grid
        whole = maps.reshape(rows, columns, height, width, channels).transpose(1, 2)
        whole = whole.reshape(1, rows * height, columns * width, channels)
        return self.multi_modal_projector(whole)

    def embed(self, ids: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, d)."""
        return self.language_model.model.embed_tokens(ids)

    def merge(self, ids: Tensor, visual_tokens: Tensor) -> Tensor:
        """(B, T) ids with one ``<image>`` per row, (B, n, d) -> (B, T - 1 + n, d) embeddings.

        Raises:
            ValueError: a row has no placeholder or several.
        """
        places = ids == self.config.vocabulary.image
        if not bool((places.sum(dim=1) == 1).all()):
            raise ValueError('every prompt must hold exactly one <image>')
        words = self.embed(ids)
        rows = []
        for index, place in enumerate(places.int().argmax(dim=1).tolist()):
            before, after = words[index, :place], words[index, place + 1 :]
            rows.append(torch.cat([before, visual_tokens[index].to(words.dtype), after]))
        return torch.stack(rows)

    def hidden_states(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: DynamicCache | None = None,
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
        return self.language_model.lm_head(hidden).float()

    def action_logits(self, hidden: Tensor) -> Tensor:
        """(..., d) hidden states -> (..., 256) logits of the action ids, in their order."""
        base = self.config.vocabulary.base_size
        weight = self.language_model.lm_head.weight[base - ACTION_BINS : base]
        return nn.functional.linear(hidden, weight).float()

    @torch.inference_mode()
    def generate(
        self,
        inputs_embeds: Tensor,
        max_tokens: int,
        choose: ChooseIds,
        stop_id: int | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Appends up to ``max_tokens`` ids with a key/value cache -> (B, n).

        Args:
            inputs_embeds: (B, T, d) prompts, padded on the LEFT when their lengths differ.
            max_tokens: 7 for an action.
            choose: picks an id per row.
            stop_id: ends a row; the rest of that row repeats it.
            attention_mask: (B, T), 0 at padding.
        """
        batch, length, _ = inputs_embeds.shape
        mask = torch.ones(batch, length, dtype=torch.long, device=inputs_embeds.device)
        if attention_mask is not None:
            mask = attention_mask.long()
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        cache = DynamicCache()
        done = torch.zeros(batch, dtype=torch.bool, device=inputs_embeds.device)
        chosen: list[Tensor] = []
        while len(chosen) < max_tokens and not bool(done.all()):
            hidden = self.hidden_states(inputs_embeds, mask, positions, cache)
            ids = choose(self.language_model.lm_head(hidden[:, -1]).float())
            if stop_id is not None:
                ids = torch.where(done, stop_id, ids)
                done |= ids == stop_id
            chosen.append(ids)
            inputs_embeds = self.embed(ids[:, None])
            mask = torch.cat([mask, mask.new_ones(batch, 1)], dim=1)
            positions = positions[:, -1:] + 1
        return torch.stack(chosen, dim=1)


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
