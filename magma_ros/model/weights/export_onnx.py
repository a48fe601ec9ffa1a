"""Writes a model as ONNX (torch): vision.onnx, decoder.onnx and the embedding table.

The decoder is one graph for the prompt (no past) and for every further token. It takes and gives
the key/value cache as stacked arrays, and gives only the NEW keys and values.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import onnx
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.export import Dim

from magma_ros.model.backends.onnx_model import EMBEDDING_KEY
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import write_config

OPSET = 18


def export_onnx(model: MagmaForAction, tokenizer_json: Path, directory: Path) -> None:
    """Writes everything ``onnx_model.load_onnx_model`` reads into ``directory``.

    Args:
        model: trained, float32, on the CPU.
        tokenizer_json: the tokenizer it was trained with; copied.
        directory: made if missing; files of the same names are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        _export_vision(model, directory / 'vision.onnx')
        _export_decoder(model, directory / 'decoder.onnx')
    model.train(was_training)
    table = model.language_model.model.embed_tokens.weight.detach().contiguous()
    (directory / 'embeddings.safetensors').write_bytes(save({EMBEDDING_KEY: table}))
    write_config(model.config, directory / 'config.json')
    if tokenizer_json.resolve() != (directory / 'tokenizer.json').resolve():
        shutil.copyfile(tokenizer_json, directory / 'tokenizer.json')


class _Vision(nn.Module):
    """One picture of one crop: (1, 3, base, base) -> (1, n, d)."""

    def __init__(self, model: MagmaForAction) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        return self.model.encode_image(pixels)


class _StackedCache:
    """What attention asks of a cache, on stacked past (layers, B, heads, P, head size)."""

    is_compileable = False

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._past = (keys, values)
        self.new_keys: list[Tensor] = []
        self.new_values: list[Tensor] = []

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        self.new_keys.append(keys)
        self.new_values.append(values)
        past_keys, past_values = self._past
        return (
            torch.cat([past_keys[layer], keys], dim=2),
            torch.cat([past_values[layer], values], dim=2),
        )

    def get_seq_length(self, *_: object) -> int:
        return self._past[0].shape[3]


class _Decoder(nn.Module):
    def __init__(self, model: MagmaForAction) -> None:
        super().__init__()
        self.llama = model.language_model

    def forward(
        self, inputs_embeds: Tensor, past_keys: Tensor, past_values: Tensor, positions: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        cache = _StackedCache(past_keys, past_values)
        columns = torch.arange(past_keys.shape[3] + inputs_embeds.shape[1])
        # Positions count from zero without gaps, so a column's index is its position.
        visible = columns[None, None, None, :] <= positions[:, None, :, None]
        hidden = self.llama.model(
            inputs_embeds=inputs_embeds,
            attention_mask=visible,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        logits = self.llama.lm_head(hidden[:, -1]).float()
        return logits, torch.stack(cache.new_keys), torch.stack(cache.new_values)


def _export_vision(model: MagmaForAction, path: Path) -> None:
    base = model.config.preprocessor.base_img_size
    _export(
        _Vision(model), (torch.zeros(1, 3, base, base),), path, ['pixels'], ['visual_tokens'], None
    )


def _export_decoder(model: MagmaForAction, path: Path) -> None:
    decoder = model.config.decoder
    head_size = decoder.hidden_size // decoder.num_attention_heads
    past = torch.zeros(decoder.num_hidden_layers, 1, decoder.num_key_value_heads, 5, head_size)
    _export(
        _Decoder(model),
        (torch.zeros(1, 3, decoder.hidden_size), past, past.clone(), torch.arange(5, 8)[None]),
        path,
        ['inputs_embeds', 'past_keys', 'past_values', 'positions'],
        ['logits', 'new_keys', 'new_values'],
        ({1: Dim.DYNAMIC}, {3: Dim.DYNAMIC}, {3: Dim.DYNAMIC}, {1: Dim.DYNAMIC}),
    )


def _export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    dynamic_shapes: tuple[dict[int, Any], ...] | None,
) -> None:
    torch.onnx.export(
        module.eval(),
        example,
        str(path),
        input_names=inputs,
        output_names=outputs,
        dynamic_shapes=dynamic_shapes,
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    drop_origins(path)


def drop_origins(path: Path) -> None:
    """Rewrite an ONNX file without the stack traces and source paths the exporter notes in it."""
    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField('doc_string')
        part.ClearField('metadata_props')
    onnx.save(model, path)
