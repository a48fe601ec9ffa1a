"""How answers are chosen: an action id from the logits of the 256, and the settings of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError, ModelError

DecodingRule = Literal['greedy', 'median', 'sample']
Draft = Literal['previous', 'jacobi', 'none']


@dataclass(frozen=True)
class DecodingSettings:
    """How answers are chosen and how long they may get."""

    rule: DecodingRule = 'median'  # of actions; text is greedy
    temperature: float = 1.0
    seed: int = 0
    draft: Draft = 'previous'  # of actions: changes the time they take, never the ids
    trace_marks: tuple[int, ...] = (1,)
    trace_steps: int = 6
    trace_speed: int | None = None
    max_text_tokens: int = 160


def choose_token(
    logits: NDArray[np.float32],
    rule: DecodingRule,
    temperature: float = 1.0,
    uniforms: FloatArray | None = None,
) -> NDArray[np.intp]:
    """(..., 256) logits -> index 0..255 of each choice.

    Args:
        logits: of the action ids alone, in the order of the ids, which is the (reversed) order of
            their values.
        rule: ``greedy`` takes the likeliest; ``median`` the middle of the distribution over the
            ordered bins, which hedges between neighbours without leaving the bins; ``sample``
            draws (Magma's own evaluation: 0.7).
        temperature: divides the logits for ``median`` and ``sample``.
        uniforms: (...) numbers in 0..1, needed by ``sample``: where in the distribution it falls.
            With numbers of its own for each position the choice depends on nothing else, so a
            draft can be checked against it.

    Raises:
        ConfigurationError: unknown rule, temperature not positive, or sampling without numbers.
    """
    if rule not in get_args(DecodingRule):
        raise ConfigurationError(
            f'decoding rule {rule!r} is unknown: choose one of {get_args(DecodingRule)}'
        )
    if rule == 'greedy':
        return np.argmax(logits, axis=-1)
    if temperature <= 0.0:
        raise ConfigurationError(
            f'decoding temperature is {temperature}, but must be positive: try 0.7'
        )
    cumulative = np.cumsum(softmax(logits / temperature), axis=-1)
    if rule == 'median':
        threshold = np.full(logits.shape[:-1], 0.5)
    elif uniforms is None:
        raise ConfigurationError('decoding rule "sample" needs random numbers: give a seed')
    else:
        threshold = np.asarray(uniforms)
    return np.minimum((cumulative < threshold[..., None]).sum(axis=-1), logits.shape[-1] - 1)


def require_finite(logits: NDArray[np.float32]) -> None:
    """Raises ModelError for scores that are not numbers: every rule would read them as an id."""
    if not np.isfinite(logits).all():
        raise ModelError(
            'the scores of the model are not finite: its weights or its precision are at fault; '
            'load it in bf16 or fp32, or check the weights with magma check-weights'
        )


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities over the last axis, in double precision."""
    exponents = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)
