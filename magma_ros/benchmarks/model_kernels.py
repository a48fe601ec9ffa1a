"""What the machine and single passes can do (torch): read bandwidth, few-row passes, steal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch

from magma_ros.model.network.magma import MagmaForAction

PROBE_BYTES = 256_000_000  # several times any last-level cache
PROBES = 3


def seconds(work: Callable[[], object]) -> float:
    """Duration of one call."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def read_bandwidth() -> float:
    """GB/s at which all threads together read memory: the best of sums and copies."""
    source = torch.ones(PROBE_BYTES // 4)
    target = torch.empty_like(source)
    rates = [source.nbytes / seconds(source.sum) for _ in range(PROBES)]
    rates += [2 * source.nbytes / seconds(lambda: target.copy_(source)) for _ in range(PROBES)]
    return max(rates) / 1e9


class RowPasses:
    """Passes of a few rows behind a prompt: decoding without any choosing."""

    def __init__(self, model: MagmaForAction, prompt_length: int) -> None:
        self._model = model
        width = model.config.decoder.hidden_size
        self._cache = model.empty_cache()
        generator = torch.Generator().manual_seed(0)
        self._rows = torch.randn(1, prompt_length, width, generator=generator).bfloat16()
        self._length = prompt_length
        with torch.inference_mode():
            model.hidden_states(self._rows, cache=self._cache)

    @torch.inference_mode()
    def run(self, count: int) -> None:
        """One pass of ``count`` rows, action logits included."""
        self._cache.rewind(self._length)
        columns = torch.arange(self._length + count)
        positions = columns[self._length :]
        visible = (columns <= positions[:, None])[None, None]
        rows = self._rows[:, :count]
        hidden = self._model.hidden_states(rows, visible, positions[None], self._cache)
        self._model.action_logits(hidden)

    @property
    def weight_bytes(self) -> int:
        """Bytes of bfloat16 weights that every pass must read: layers and action rows."""
        decoder = self._model.config.decoder
        width, inner = decoder.hidden_size, decoder.intermediate_size
        key_width = decoder.num_key_value_heads * decoder.head_size
        layer = 2 * width * width + 2 * width * key_width + 3 * width * inner
        return 2 * (decoder.num_hidden_layers * layer + 256 * width)


def steal_and_total() -> tuple[int, int]:
    """Ticks taken by other guests of the host, and all ticks, since the machine started."""
    stat = Path('/proc/stat')
    if not stat.is_file():
        return 0, 0
    ticks = [int(field) for field in stat.read_text().splitlines()[0].split()[1:]]
    return ticks[7], sum(ticks[:8])
