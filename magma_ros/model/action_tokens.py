"""Magma's action tokens: the last 256 ids of the base vocabulary, counted downwards from its end.

Source: Magma ``data_utils/openx/action_tokenizer.py``. Two facts to know: the bins have 255
centres (+1 shares the last one), so decode-then-encode is not the identity for the lowest id; and
ids outside the range are refused here, because upstream's clipping turns any word into a
full-scale motion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from magma_ros.data_types import FloatArray
from magma_ros.errors import ModelError

ACTION_BINS = 256
ACTION_NAMES = ('dx', 'dy', 'dz', 'droll', 'dpitch', 'dyaw', 'gripper')
ACTION_LENGTH = len(ACTION_NAMES)

_EDGES = np.linspace(-1.0, 1.0, ACTION_BINS)
_CENTRES = (_EDGES[:-1] + _EDGES[1:]) / 2.0


def encode_action(normalised: ArrayLike, base_vocabulary_size: int) -> NDArray[np.int64]:
    """Values in [-1, 1] (clipped) -> ids of the same shape; -1 is the highest id.

    Raises:
        ValueError: a value is not a number (it would become a full-scale motion).
    """
    values = np.clip(np.asarray(normalised, dtype=float), -1.0, 1.0)
    if np.isnan(values).any():
        raise ValueError(f'actions must be numbers, but are {normalised!r}')
    return base_vocabulary_size - np.digitize(values, _EDGES).astype(np.int64)


def decode_action(ids: Sequence[int] | NDArray[np.int64], base_vocabulary_size: int) -> FloatArray:
    """Ids -> bin centres in [-0.996, 0.996].

    Raises:
        ModelError: an id is not an action; the message gives the range.
    """
    array = np.asarray(ids, dtype=np.int64)
    lowest, highest = base_vocabulary_size - ACTION_BINS, base_vocabulary_size - 1
    if array.size and (array.min() < lowest or array.max() > highest):
        raise ModelError(
            f'ids {array.tolist()} are not all actions ({lowest}..{highest}), the model answered '
            'in words: ask with the action prompt and decode with the logits limited to the '
            'action ids'
        )
    return _CENTRES[np.minimum(base_vocabulary_size - array - 1, len(_CENTRES) - 1)]


def action_ids(base_vocabulary_size: int) -> NDArray[np.int64]:
    """All 256 action ids, ascending (their values descend)."""
    return np.arange(base_vocabulary_size - ACTION_BINS, base_vocabulary_size, dtype=np.int64)
