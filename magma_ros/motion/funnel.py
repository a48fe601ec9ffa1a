"""Shapes of approach for all who move onto things: down a funnel, and up before sideways."""

from __future__ import annotations

import numpy as np


def funnel_height(
    floor_m: float,
    ceiling_m: float,
    away_m: float,
    slope: float,
    free_m: float,
    raised_m: float = 0.0,
) -> float:
    """Height for ``away_m`` from the axis: the floor within ``free_m``, then up to the ceiling.

    ``raised_m`` lifts the funnel, not its ceiling: :func:`rise_to_align`.
    """
    return min(max(ceiling_m, floor_m), floor_m + slope * max(0.0, away_m - free_m) + raised_m)


def rise_to_align(misaligned_rad: float, tilted_rad: float) -> float:
    """How much higher (m) to stay while the tool still has to turn before it may touch."""
    return 0.12 * misaligned_rad + 0.3 * tilted_rad


def rise_first(height_m: float, free_m: float, over_m: float) -> float:
    """Share of the sideways motion allowed: 0 below ``free_m``, 1 from ``free_m + over_m`` on."""
    return float(np.clip((height_m - free_m) / over_m, 0.0, 1.0))
