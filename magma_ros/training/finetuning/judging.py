"""The loss of a batch and what is logged of it (torch)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from magma_ros.errors import ConfigurationError
from magma_ros.training.answers import ACTION
from magma_ros.training.finetuning.learner import Batch
from magma_ros.training.soft_targets import soft_cross_entropy


def judge(
    logits: Tensor, batch: Batch, tables: Mapping[int, Tensor], soft_bins: float
) -> tuple[Tensor, dict[str, float]]:
    """Mean loss of the answer tokens; its value, and the share of right action tokens if any.

    Raises:
        ConfigurationError: the loss is not a number.
    """
    loss = soft_cross_entropy(logits, batch.answers, batch.kinds, tables, soft_bins).mean()
    if not math.isfinite(loss.item()):
        raise ConfigurationError(
            'the loss is not a number: lower learning_rate, or set mixed_precision to "no"'
        )
    measured = {'loss': loss.item()}
    actions = batch.kinds == ACTION
    if bool(actions.any()):
        right = logits[actions].argmax(dim=-1) == batch.answers[actions]
        measured['action_token_accuracy'] = right.float().mean().item()
    return loss, measured


class Means:
    """Means of what was measured since they were last taken."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, measured: Mapping[str, float]) -> None:
        """One measurement."""
        for name, value in measured.items():
            self._values.setdefault(name, []).append(value)

    def take(self) -> dict[str, float]:
        """The means; from now on they are empty."""
        means = {name: sum(values) / len(values) for name, values in self._values.items()}
        self._values = {}
        return means
