"""Do commands and motion agree? Wrong frames, swapped axes and signs show in how they go together.

Commanded displacements are compared with measured ones, shifted by the delay that fits best. Where
they disagree, each way to swap and turn round the axes is tried, and the one that explains the
motion is named.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.dataset.checks.finding import Finding

MOST_DELAY = 5  # samples
LEAST_SAMPLES = 10
LEAST_MOTION_M = 0.02  # of all samples together: less says nothing
AGREES, EXPLAINS = 0.7, 0.85  # of the correlation
AXES = 'xyz'


def check_agreement(
    commanded_m: FloatArray, measured_m: FloatArray, kind: str = 'translation'
) -> Iterator[Finding]:
    """What (n, 3) commanded and measured displacements say about each other; base axes.

    Works for rotation vectors as well, ``kind`` says what they are.
    """
    moved = min(np.abs(commanded_m).sum(), np.abs(measured_m).sum())
    if len(commanded_m) < LEAST_SAMPLES or moved < LEAST_MOTION_M:
        return
    delay, fit = best_delay(commanded_m, measured_m)
    if fit >= AGREES:
        ratio = _length_ratio(commanded_m, measured_m, delay)
        if not 0.5 < ratio < 2.0:
            text = f'measured {kind} is {ratio:.2f} of what was commanded: other units?'
            yield Finding('motion', 'flag', text)
        return
    permutation, signs, explained = best_axes(commanded_m, measured_m)
    if explained >= EXPLAINS:
        axes = ', '.join(
            f'{AXES[to]} = {"-" if sign < 0 else ""}{AXES[source]}'
            for to, (source, sign) in enumerate(zip(permutation, signs, strict=True))
        )
        text = f'measured {kind} fits what was commanded only with {axes}: a wrong frame or sign'
        yield Finding('motion', 'fault', text)
    else:
        text = f'measured {kind} does not follow what was commanded (correlation {fit:.2f})'
        yield Finding('motion', 'flag', text)


def best_delay(commanded: FloatArray, measured: FloatArray) -> tuple[int, float]:
    """Samples by which the motion is later, and the correlation then."""
    fits = {
        delay: correlation(commanded[: len(commanded) - delay], measured[delay:])
        for delay in range(min(MOST_DELAY, len(commanded) - 2) + 1)
    }
    best = max(fits, key=fits.__getitem__)
    return best, fits[best]


def best_axes(
    commanded: FloatArray, measured: FloatArray
) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    """Which commanded axis moves x, y and z, with which sign, and the correlation then."""
    candidates = (
        (order, signs, best_delay(commanded[:, order] * signs, measured)[1])
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    )
    return max(candidates, key=lambda candidate: candidate[2])


def correlation(commanded: FloatArray, measured: FloatArray) -> float:
    """1 where they are proportional; no mean is taken off: a motion to one side is motion."""
    size = float(np.linalg.norm(commanded) * np.linalg.norm(measured))
    return float((commanded * measured).sum()) / size if size > 0.0 else 0.0


def _length_ratio(commanded: FloatArray, measured: FloatArray, delay: int) -> float:
    told = np.linalg.norm(commanded[: len(commanded) - delay].sum(axis=0))
    went = np.linalg.norm(measured[delay:].sum(axis=0))
    if told < LEAST_MOTION_M:  # there and back again: compare the ways instead
        told = np.linalg.norm(commanded[: len(commanded) - delay], axis=1).sum()
        went = np.linalg.norm(measured[delay:], axis=1).sum()
    return float(went / told)
