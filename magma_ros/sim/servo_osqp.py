"""The quadratic program of MoveIt's AccelerationLimited plugin, solved as loosely as OSQP does.

The plugin asks for the smallest x >= 0 with lower <= row * x <= upper, in radians per period. The
tolerance of OSQP, 1e-3, is larger than many of these rows, and it looks at its result only every
25 iterations: an arm may start at twice its acceleration limit and stop within one period from
0.1 rad/s. The recordings show both, to the third digit, so the iterations are repeated here.

Source: Stellato et al., OSQP: an operator splitting solver for quadratic programs (2020),
algorithm 1 and sections 3.4, 5.1; default settings of release 0.6, with rho left as it is.
"""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import FloatArray

RHO, SIGMA, RELAXATION = 0.1, 1e-6, 1.6
TOLERANCE, INFEASIBLE = 1e-3, 1e-4  # eps_abs and eps_rel; eps_prim_inf
ITERATIONS, CHECKED_EVERY = 4000, 25
SCALINGS, LEAST_SCALED = 10, 1e-4


def smallest_share(rows: FloatArray, lower: FloatArray, upper: FloatArray) -> float | None:
    """About the smallest x of ``lower <= rows * x <= upper``; None where there is none.

    Args:
        rows: coefficients, (n,); one of them bounds x itself.
        lower: (n,)
        upper: (n,), as the lower one in units of ``rows``.
    """
    if (lower <= 0).all() and (upper >= 0).all():
        return 0.0
    scaled, row_scales, x_scale, weight = _scaled(rows)
    lower, upper = row_scales * lower, row_scales * upper
    step = weight + SIGMA + RHO * float(scaled @ scaled)
    x, z, dual = 0.0, np.zeros_like(rows), np.zeros_like(rows)
    for iteration in range(1, ITERATIONS + 1):
        x_now = (SIGMA * x + float(scaled @ (RHO * z - dual))) / step
        x = RELAXATION * x_now + (1 - RELAXATION) * x
        wish = (RELAXATION * x_now) * scaled + (1 - RELAXATION) * z
        z = np.minimum(np.maximum(wish + dual / RHO, lower), upper)
        change = RHO * (wish - z)
        dual = dual + change
        if iteration % CHECKED_EVERY:
            continue
        reached = scaled * x
        if _is_met(reached / row_scales, z / row_scales) and _is_met(
            np.array([weight * x]), np.array([-float(scaled @ dual)]), x_scale
        ):
            return x * x_scale
        if _is_proof(change, scaled, lower, upper, row_scales, x_scale):
            return None
    return None


def _scaled(rows: FloatArray) -> tuple[FloatArray, FloatArray, float, float]:
    """Ruiz equilibration: rows near 1, their scales, the scale of x, the weight of its square."""
    row_scales, x_scale, weight = np.ones_like(rows), 1.0, 1.0
    for _ in range(SCALINGS):
        column = 1 / np.sqrt(max(weight, float(np.abs(rows).max())))
        sizes = np.abs(rows)
        factors = 1 / np.sqrt(np.where(sizes < LEAST_SCALED, 1.0, sizes))
        rows, row_scales = rows * factors * column, row_scales * factors
        weight, x_scale = weight * column**2, x_scale * column
        weight /= max(weight, 1.0)
    return rows, row_scales, x_scale, weight


def _is_met(one: FloatArray, other: FloatArray, scale: float = 1.0) -> bool:
    size = max(float(np.abs(one).max()), float(np.abs(other).max())) / scale
    return float(np.abs(one - other).max()) / scale <= TOLERANCE * (1 + size)


def _is_proof(
    change: FloatArray,
    rows: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    row_scales: FloatArray,
    x_scale: float,
) -> bool:
    """Whether the last change of the dual variables proves that nothing fulfils all rows."""
    size = float(np.abs(row_scales * change).max())
    support = float(upper @ np.maximum(change, 0.0) + lower @ np.minimum(change, 0.0))
    return support < 0 and abs(float(rows @ change)) / x_scale < INFEASIBLE * size
