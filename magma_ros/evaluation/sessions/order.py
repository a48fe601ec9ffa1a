"""The order of a session: every layout sees all conditions in a row, positions balanced.

Within a block each (task, layout) is laid once for all conditions, one after the other. Which
condition comes first, second, ... follows Williams designs (E. J. Williams, 1949): each condition
is equally often at each position and, over whole designs, equally often right after each other
one. What drifts (light, a battery, a person's patience) then meets all conditions alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from magma_ros.errors import ConfigurationError

Row = tuple[int, ...]


@dataclass(frozen=True)
class PlannedTrial:
    """One trial, as it is fixed before the first one."""

    trial: int
    block: int
    task: str
    layout: str
    code: str


def plan_order(
    codes: Sequence[str],
    cells: Sequence[tuple[str, str]],
    blocks: int,
    seed: int,
) -> tuple[PlannedTrial, ...]:
    """All trials in their order: a function of the arguments and nothing else.

    Args:
        codes: of the conditions.
        cells: task and layout; each is run once per block under every code.
        blocks: how often everything is repeated.
        seed: of what is random.

    Raises:
        ConfigurationError: no order can balance the positions.
    """
    check_balance(len(codes), len(cells), blocks)
    random = Random(seed)
    rows = _draw_rows(len(codes), len(cells) * blocks, random)
    trials: list[PlannedTrial] = []
    for block in range(blocks):
        for task, layout in random.sample(list(cells), len(cells)):
            for index in rows[len(trials) // len(codes)]:
                trials.append(PlannedTrial(len(trials), block, task, layout, codes[index]))
    return tuple(trials)


def check_balance(conditions: int, cells: int, blocks: int) -> None:
    """Pass counts whose positions can be balanced; ConfigurationError otherwise."""
    if conditions < 2 or cells < 1 or blocks < 1:
        raise ConfigurationError(
            f'{conditions} conditions, {cells} pairs of task and layout, {blocks} blocks: a '
            'comparison needs at least 2, 1 and 1'
        )
    runs = cells * blocks
    if runs % conditions:
        near = sorted({max(conditions, runs - runs % conditions), runs + -runs % conditions})
        raise ConfigurationError(
            f'impossible balance: tasks x layouts x blocks is {runs}, and {conditions} conditions '
            f'can be equally often at each position only in a multiple of {conditions}: change '
            f'layouts or blocks so that it is {" or ".join(map(str, near))}'
        )


def williams_squares(conditions: int) -> tuple[tuple[Row, ...], ...]:
    """Latin squares in which each follows each other equally often: one, or two if odd."""
    first = [(i + 1) // 2 if i % 2 else -(i // 2) % conditions for i in range(conditions)]
    square = tuple(
        tuple((start + step) % conditions for step in first) for start in range(conditions)
    )
    if conditions % 2 == 0:
        return (square,)
    return square, tuple(row[::-1] for row in square)


def _draw_rows(conditions: int, count: int, random: Random) -> list[Row]:
    """Whole squares, each with its rows in random order, each design with fresh labels."""
    rows: list[Row] = []
    while len(rows) < count:
        labels = random.sample(range(conditions), conditions)
        for square in williams_squares(conditions):
            for row in random.sample(square, len(square)):
                rows.append(tuple(labels[index] for index in row))
    return rows[:count]
