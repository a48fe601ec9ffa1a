"""Several prompts of one picture in one pass (torch): shared prefix, separate branches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def share_prefix(prefix_length: int, branch_lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Mask (1, 1, T, T), true where row sees column, and positions (1, T), for prefix + branches.

    Each branch sees the prefix and itself causally, and continues the prefix's positions; the
    result equals separate passes. Pad branches on the right: nothing before a pad sees it.
    """
    lengths = torch.tensor([prefix_length, *branch_lengths])
    owner = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    place = torch.arange(len(owner))
    causal = place[:, None] >= place[None, :]
    visible = (owner[None, :] == 0) | (owner[:, None] == owner[None, :])
    starts = torch.cumsum(lengths, dim=0) - lengths
    within = place - starts[owner]
    positions = torch.where(owner == 0, within, within + prefix_length)
    return (causal & visible)[None, None], positions[None]
