"""Keys and values in memory taken once (torch), which stock Llama layers fill and read.

Unlike the caches of transformers it can be taken back to an earlier length, which a verified draft
needs, and gives attention views of the tokens it holds: no copies, and no work on empty places.
"""

from __future__ import annotations

import torch
from torch import Tensor

from magma_ros.model.network.magma_config import DecoderConfig

GROWTH_TOKENS = 256


class StaticCache:
    """Keys and values of B sequences of the same length."""

    is_compileable = False  # asked by transformers

    def __init__(
        self,
        config: DecoderConfig,
        dtype: torch.dtype,
        device: torch.device,
        batch: int = 1,
        capacity: int = 2 * GROWTH_TOKENS,
    ) -> None:
        """Takes memory for ``capacity`` tokens; more is taken when it does not suffice."""
        heads, size = config.num_key_value_heads, config.head_size
        shape = (config.num_hidden_layers, 2, batch, heads, capacity, size)
        self._memory = torch.zeros(shape, dtype=dtype, device=device)
        self.length = 0

    @property
    def capacity(self) -> int:
        """Tokens that fit without new memory."""
        return self._memory.shape[4]

    @property
    def memory(self) -> Tensor:
        """All of it: (layers, keys and values, B, heads, capacity, size)."""
        return self._memory

    def reserve(self, tokens: int) -> None:
        """Takes memory for so many tokens, if there is less."""
        if tokens > self.capacity:
            self._grow(tokens)

    def advance(self, tokens: int) -> None:
        """So many tokens more are held, which were written into :attr:`memory`."""
        self.length += tokens

    def rewind(self, length: int) -> None:
        """Forgets all tokens from ``length`` on.

        Raises:
            ValueError: there are not so many.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f'cannot go back to {length} tokens: there are {self.length}')
        self.length = length

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Appends (B, heads, T, size) to a layer -> all its keys and values; layers in order."""
        end = self.length + keys.shape[2]
        self.reserve(end)
        all_keys, all_values = self._memory[layer, :, :, :, :end]
        all_keys[:, :, self.length :] = keys
        all_values[:, :, self.length :] = values
        if layer == len(self._memory) - 1:
            self.length = end
        return all_keys, all_values

    def get_seq_length(self, *_: object) -> int:
        """Tokens held (asked by transformers)."""
        return self.length

    def get_query_offset(self, *_: object) -> int:
        """Place of the next token (asked by transformers)."""
        return self.length

    def get_mask_sizes(self, query_length: int, *_: object) -> tuple[int, int]:
        """Columns of the mask and the first one's place (asked by transformers)."""
        return self.length + query_length, 0

    def _grow(self, needed: int) -> None:
        room = -(-needed // GROWTH_TOKENS) * GROWTH_TOKENS
        self._memory = torch.nn.functional.pad(self._memory, (0, 0, 0, room - self.capacity))
