"""Cross-entropy whose targets know that 120 is nearly 121 (torch)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def soft_cross_entropy(
    logits: Tensor, ids: Tensor, kinds: Tensor, tables: Mapping[int, Tensor], sigma: float
) -> Tensor:
    """(n, rows) logits -> (n,) losses.

    Words are hard targets; numbers and actions are Gaussians over their neighbours. The entropy
    of the soft target is subtracted: 0 is perfect at any ``sigma``.

    Args:
        logits: float32.
        ids: (n,) right ids.
        kinds: (n,) HARD, NUMBER or ACTION of ``answers.py``.
        tables: of NUMBER and ACTION, the ids of the 256 values in their order.
        sigma: width in values; 0 makes every target hard.
    """
    log_probability = logits.log_softmax(dim=-1)
    loss = -log_probability.gather(1, ids[:, None]).squeeze(1)
    for kind, table in tables.items():
        chosen = kinds == kind
        if sigma == 0 or not bool(chosen.any()):
            continue
        index = (table[None, :] == ids[chosen, None]).int().argmax(dim=1)
        distance = torch.arange(len(table), device=ids.device)[None, :] - index[:, None]
        target = torch.softmax(-(distance.float() ** 2) / (2 * sigma**2), dim=1)
        cross = -(target * log_probability[chosen][:, table]).sum(dim=1)
        entropy = -(target * target.clamp(min=1e-12).log()).sum(dim=1)
        loss = loss.masked_scatter(chosen, cross - entropy)
    return loss
