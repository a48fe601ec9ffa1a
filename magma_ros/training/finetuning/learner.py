"""The network as it is trained (torch): what learns, adapters, and answers in one forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.training.finetuning.settings import FinetuneSettings, LoraSettings

# The seven linear layers of each block; peft matches the whole name.
ADAPTED = r'.*language_model\.model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj'


@dataclass
class Batch:
    """Examples side by side, padded on the right."""

    pixels: Tensor  # (B, 3, base, base), or (B, rows, columns, C) maps of a frozen tower
    ids: Tensor  # (B, T); one image placeholder per row, in the same column
    rows: Tensor  # (n,) row of each answer id
    places: Tensor  # (n,) column of the id before it
    answers: Tensor  # (n,) right ids
    kinds: Tensor  # (n,) HARD, NUMBER, ACTION

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


class Learner(nn.Module):
    """Wraps the network, so that one ``forward`` is all that DDP and FSDP need to see."""

    def __init__(self, model: MagmaForAction) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor, ids: Tensor, rows: Tensor, places: Tensor) -> Tensor:
        """Float32 logits (n, vocabulary rows) of what follows each place; see :class:`Batch`."""
        model = self.model
        image = int((ids[0] == model.config.vocabulary.image).nonzero()[0, 0])
        pixels = pixels.to(model.multi_modal_projector.row_seperator.dtype)
        maps = model.vision_tower(pixels) if pixels.shape[1] == 3 else pixels
        visual = model.multi_modal_projector(maps)
        words = model.embed(ids)
        embeddings = torch.cat(
            [words[:, :image], visual.to(words.dtype), words[:, image + 1 :]], dim=1
        )
        hidden = model.hidden_states(embeddings)
        return model.word_logits(hidden[rows, places + visual.shape[1] - 1])

    def trained(self) -> dict[str, nn.Parameter]:
        """What learns, by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}


def choose_trained(model: MagmaForAction, settings: FinetuneSettings) -> None:
    """Freeze everything but what the settings train; adapters are put in where they say so.

    What learns is kept in float32: a step of 1e-5 is lost in bfloat16.
    """
    model.requires_grad_(False)
    if settings.method == 'full':
        model.language_model.requires_grad_(True)
    else:
        add_adapters(model, settings.lora)
    model.multi_modal_projector.requires_grad_(settings.train_projector)
    model.vision_tower.requires_grad_(settings.train_vision_tower)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if settings.gradient_checkpointing:
        model.language_model.gradient_checkpointing_enable({'use_reentrant': False})


def add_adapters(model: MagmaForAction, lora: LoraSettings) -> None:
    """Put low-rank adapters into the decoder's linear layers, in place.

    Raises:
        EnvironmentMissing: peft is not installed.
        ConfigurationError: the rank is not one.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[finetune]"'
        ) from error
    if lora.rank < 1:
        raise ConfigurationError(f'lora.rank is {lora.rank}; it must be at least 1')
    inject_adapter_in_model(
        LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,  # type: ignore[arg-type]
            lora_dropout=lora.dropout,
            target_modules=ADAPTED,
        ),
        cast(nn.Module, model),
    )


def merge_adapters(model: MagmaForAction) -> None:
    """Add each adapter to the layer it belongs to, in place; without adapters nothing happens."""
    adapted = [
        (name, module) for name, module in model.named_modules() if hasattr(module, 'lora_A')
    ]
    for name, module in adapted:
        module.merge(safe_merge=True)  # type: ignore[operator]
        model.set_submodule(name, module.get_base_layer())  # type: ignore[operator]
