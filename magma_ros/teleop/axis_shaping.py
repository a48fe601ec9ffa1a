"""From the raw number of an axis to a share of the full speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from magma_ros.data_types import FloatArray

LARGEST = 1.05  # of an axis that is scaled to 1; drivers round


def is_axis_value(value: float) -> bool:
    """Whether a driver may say so; NaN, infinity and numbers of another scale may not move."""
    return abs(value) <= LARGEST  # false for NaN


def shape_axis(value: float, dead_zone: float, curve: float) -> float:
    """Raw -1..1 -> share -1..1: nothing within the dead zone, from zero on beyond it.

    ``curve`` is the exponent: 1 is linear, above that small deflections are finer.
    """
    beyond = min((abs(value) - dead_zone) / (1.0 - dead_zone), 1.0)
    return 0.0 if beyond <= 0.0 else math.copysign(beyond**curve, value)


@dataclass(frozen=True)
class LowPass:
    """First-order filter against a trembling hand; new numbers every time, no state of its own."""

    time_constant_s: float  # 0: off

    def after(self, before: FloatArray, wish: FloatArray, elapsed_s: float) -> FloatArray:
        """What the filter gives ``elapsed_s`` after it gave ``before``."""
        if self.time_constant_s <= 0.0:
            return wish
        return wish + (before - wish) * math.exp(-max(elapsed_s, 0.0) / self.time_constant_s)
