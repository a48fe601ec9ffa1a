"""The network behind a model in torch, compiled: on a GPU each kind of pass is one CUDA graph.

A graph has fixed shapes. So the cache is read whole, with a mask over what is not filled, places
are tensors, and prompts are filled up to a multiple of ``BUCKET_TOKENS`` behind their end, where
causal attention never looks. That makes one graph for each grid of crops, one for each bucket of
prompts, one for the window of an action and one for a single word. The first passes compile.

Never run on a GPU for lack of one; tests run the same passes on a CPU, traced but not compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from magma_ros.model.action_decoding import WINDOW
from magma_ros.model.backends.torch_network import TorchNetwork, to_array
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.fixed_cache import FixedCache
from magma_ros.model.network.magma import MagmaForAction

BUCKET_TOKENS = 64
MOST_GRAPHS = 64  # of one kind of pass; torch's own limit is 8, and fewer than the buckets
CUDA_GRAPHS = 'reduce-overhead'  # torch's name


class CompiledNetwork(TorchNetwork):
    """Answers as :class:`TorchNetwork` does, up to the rounding of other kernels."""

    def __init__(
        self,
        model: MagmaForAction,
        backend: str | Callable[..., Any] = 'inductor',
        mode: str | None = CUDA_GRAPHS,
    ) -> None:
        """``backend`` and ``mode`` are those of ``torch.compile``; tests give others."""
        super().__init__(model)
        torch._dynamo.config.recompile_limit = MOST_GRAPHS
        self._states, self._crops = (
            torch.compile(work, fullgraph=True, dynamic=False, backend=backend, mode=mode)
            for work in (self._pass, model.encode_crops)
        )

    @torch.inference_mode()
    def encode_image(self, pixels: NDArray[np.float32], grid: Grid = (1, 1)) -> NDArray:
        """(rows * columns, 3, base, base) crops of one picture -> (n, d)."""
        torch.compiler.cudagraph_mark_step_begin()
        return to_array(self._crops(self._to_tensor(pixels), grid)[0])

    def _append(self, rows: Tensor) -> Tensor:
        start, count = self._cache.length, len(rows)
        filled = count if count in (1, WINDOW) else -(-count // BUCKET_TOKENS) * BUCKET_TOKENS
        self._cache.reserve(start + filled)
        memory = self._cache.memory
        torch._dynamo.mark_static_address(memory)  # written in place by the graph
        positions = torch.arange(start, start + filled, device=rows.device)
        torch.compiler.cudagraph_mark_step_begin()
        padded = nn.functional.pad(rows, (0, 0, 0, filled - count))
        hidden = self._states(padded[None], positions, memory)
        self._cache.advance(count)
        return hidden[0, :count].clone()  # the next replay writes over it

    def _pass(self, rows: Tensor, positions: Tensor, memory: Tensor) -> Tensor:
        columns = torch.arange(memory.shape[4], device=rows.device)
        visible = columns <= positions[:, None]
        return self._model.hidden_states(
            rows, visible[None, None], positions[None], FixedCache(memory, positions)
        )
