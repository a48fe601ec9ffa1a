"""Traces the graphs of the ONNX files (torch), without weights: they are bound afterwards.

What is traced has fake tensors: shapes and types, no memory. So magma-8b takes no more memory to
trace than magma-nano, and a checkpoint in one precision can be exported in another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import onnx_ir
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.export import Dim

from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.network.magma import MagmaForAction
from magma_ros.model.network.magma_config import MagmaConfig

OPSET = 18
ANY = Dim.DYNAMIC


class Graph(nn.Module, ABC):
    """A part of the model with named inputs and outputs; float32 at its borders."""

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]
    dynamic_axes: ClassVar[tuple[dict[int, Any], ...]]  # of each input

    def __init__(self, model: MagmaForAction) -> None:
        super().__init__()
        self.model = model
        self.dtype = model.language_model.lm_head.weight.dtype

    @abstractmethod
    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace with; no dynamic axis may be 1."""


class Vision(Graph):
    """One picture: (rows, columns, 3, base, base) crops -> (visual tokens, d)."""

    inputs = ('pixels',)
    outputs = ('visual_tokens',)
    dynamic_axes = ({0: ANY, 1: ANY},)

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        rows, columns = pixels.shape[:2]
        crops = pixels.flatten(0, 1).to(self.dtype)
        return self.model.encode_crops(crops, (rows, columns))[0].float()

    def example(self) -> tuple[Tensor, ...]:
        """A grid of 2 by 3."""
        base = self.model.config.preprocessor.base_img_size
        return (torch.zeros(2, 3, 3, base, base),)


class Decoder(Graph):
    """Some tokens after those in the cache: the prompt, one token, or drafted ones.

    Keys and values are (tokens, layers, heads, head size) in the precision of the weights: with
    the tokens first, what is new can be written right behind the past. ``logit_positions`` says
    after which of the new tokens logits are wanted: the last of a prompt, all of a draft.
    """

    inputs = ('inputs_embeds', 'past_keys', 'past_values', 'logit_positions')
    outputs = ('hidden', 'action_logits', 'new_keys', 'new_values')
    dynamic_axes = ({1: ANY}, {0: ANY}, {0: ANY}, {0: ANY})

    def __init__(self, model: MagmaForAction) -> None:
        super().__init__(model)
        self.action_head = nn.Parameter(action_head(model), requires_grad=False)

    def forward(
        self,
        inputs_embeds: Tensor,
        past_keys: Tensor,
        past_values: Tensor,
        logit_positions: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """-> hidden states (n, d), logits (n, 256), new keys and new values."""
        cache = _TokenFirstCache(past_keys, past_values)
        start, end = past_keys.shape[0], past_keys.shape[0] + inputs_embeds.shape[1]
        positions = torch.arange(start, end)[None]
        visible = torch.arange(end)[None, None, None, :] <= positions[:, None, :, None]
        hidden = self.model.language_model.model(
            inputs_embeds=inputs_embeds.to(self.dtype),
            attention_mask=visible,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[0, logit_positions]
        action_logits = nn.functional.linear(hidden, self.action_head)
        return (
            hidden.float(),
            action_logits.float(),
            torch.stack(cache.new_keys, dim=1),
            torch.stack(cache.new_values, dim=1),
        )

    def example(self) -> tuple[Tensor, ...]:
        """Three tokens after five."""
        decoder = self.model.config.decoder
        shape = (5, decoder.num_hidden_layers, decoder.num_key_value_heads, decoder.head_size)
        past = torch.zeros(shape, dtype=self.dtype)
        return torch.zeros(1, 3, decoder.hidden_size), past, past.clone(), torch.tensor([0, 2])


class Head(Graph):
    """(n, d) hidden states -> (n, vocabulary rows) logits: what only text needs."""

    inputs = ('hidden',)
    outputs = ('logits',)
    dynamic_axes = ({0: ANY},)

    def forward(self, hidden: Tensor) -> Tensor:
        """See the class."""
        return self.model.language_model.lm_head(hidden.to(self.dtype)).float()

    def example(self) -> tuple[Tensor, ...]:
        """Two of them."""
        return (torch.zeros(2, self.model.config.decoder.hidden_size),)


class _TokenFirstCache:
    """What attention asks of a cache, on the stacked past of :class:`Decoder`."""

    is_compileable = False

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._past = (keys, values)
        self.new_keys: list[Tensor] = []
        self.new_values: list[Tensor] = []

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """(1, heads, T, head size) new -> the same with the past before it."""
        self.new_keys.append(keys[0].transpose(0, 1))
        self.new_values.append(values[0].transpose(0, 1))
        past_keys, past_values = (past[:, layer].transpose(0, 1)[None] for past in self._past)
        return torch.cat([past_keys, keys], dim=2), torch.cat([past_values, values], dim=2)

    def get_seq_length(self, *_: object) -> int:
        return self._past[0].shape[0]


def action_head(model: MagmaForAction) -> Tensor:
    """(256, d): the rows of the output head for the action ids; a view."""
    base = model.config.vocabulary.base_size
    return model.language_model.lm_head.weight.detach()[base - ACTION_BINS : base]


def trace_graph(kind: type[Graph], config: MagmaConfig, dtype: torch.dtype) -> onnx_ir.Model:
    """The graph in ``dtype`` with fake initializers: ``model.<name of the parameter>``, ..."""
    default = torch.get_default_dtype()
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        torch.set_default_dtype(dtype)
        try:
            model = MagmaForAction(config)
        finally:
            torch.set_default_dtype(default)
        graph = kind(model).eval()
        program = torch.onnx.export(
            graph,
            graph.example(),
            input_names=kind.inputs,
            output_names=kind.outputs,
            dynamic_shapes=kind.dynamic_axes,
            opset_version=OPSET,
            dynamo=True,
            optimize=False,  # would fold the weights: bound first, then optimised
            verbose=False,
        )
    if program is None:
        raise ValueError(f'{kind.__name__} was not traced')
    return program.model
