"""Shapes of approach shared by those who move onto things: down a funnel, and up before sideways."""

from __future__ import annotations

import numpy as np


def funnel_height(
    floor_m: float, ceiling_m: float, away_m: float, slope: float, free_m: float
) -> float:
    """Height to be at when ``away_m`` from the axis: the floor within ``free_m``, then rising to the ceiling."""
    return min(max(ceiling_m, floor_m), floor_m + slope * max(0.0, away_m - free_m))


def rise_first(height_m: float, free_m: float, over_m: float) -> float:
    """Share of the sideways motion allowed at this height: 0 below ``free_m``, 1 from ``free_m + over_m`` on."""
    return float(np.clip((height_m - free_m) / over_m, 0.0, 1.0))
