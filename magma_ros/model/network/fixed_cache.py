"""Keys and values for graphs of fixed shapes (torch): read whole, written at places in a tensor.

:class:`static_cache.StaticCache` gives attention views that grow, which every length would need a
graph of its own for. Here the shapes never change; a mask hides the places that are not filled.
"""

from __future__ import annotations

from torch import Tensor


class FixedCache:
    """The memory of a ``StaticCache`` for one pass over T tokens at ``positions``."""

    is_compileable = True  # asked by transformers

    def __init__(self, memory: Tensor, positions: Tensor) -> None:
        """``memory`` (layers, 2, B, heads, capacity, size) is written in place; (T,) places."""
        self._memory, self._positions = memory, positions

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Puts (B, heads, T, size) into a layer -> all of it, filled or not."""
        all_keys, all_values = self._memory[layer, 0], self._memory[layer, 1]
        all_keys.index_copy_(2, self._positions, keys)
        all_values.index_copy_(2, self._positions, values)
        return all_keys, all_values

    def get_seq_length(self, *_: object) -> int:
        """Asked by transformers, for positions it is given."""
        return 0
