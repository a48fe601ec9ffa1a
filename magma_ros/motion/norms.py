"""Lengths of three-vectors, and shortening them."""

from __future__ import annotations

import math

from magma_ros.data_types import FloatArray


def length(vector: FloatArray) -> float:
    """Euclidean norm."""
    return math.sqrt(vector @ vector)


def shorten(vector: FloatArray, longest: float) -> FloatArray:
    """The vector, not longer than ``longest``, in the same direction.

    This is the projection onto a ball, so two shortened vectors never differ by more than the
    vectors did: limiting a velocity in this way never breaks a limit of the acceleration.
    """
    norm = length(vector)
    return vector if norm <= longest else vector * (longest / norm)
