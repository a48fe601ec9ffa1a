from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.order import plan_order, williams_squares

CODES = 'ABCDEFGH'


@st.composite
def designs(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Conditions, cells, blocks that can be balanced, and a seed."""
    conditions, blocks = draw(st.integers(2, 6)), draw(st.integers(1, 3))
    cells = conditions * draw(st.integers(1, 4))
    return conditions, cells, blocks, draw(st.integers(0, 2**31 - 1))


def plan(conditions: int, cells: int, blocks: int, seed: int):
    places = [(f'task{index % 2}', f'layout{index // 2}') for index in range(cells)]
    return plan_order(CODES[:conditions], places, blocks, seed)


@settings(deadline=None, max_examples=40)
@given(designs())
def test_every_layout_sees_every_condition_in_a_row_once_per_block(design) -> None:
    conditions, cells, blocks, _ = design
    trials = plan(*design)

    assert [one.trial for one in trials] == list(range(conditions * cells * blocks))
    assert [one.block for one in trials] == sorted(one.block for one in trials)
    runs = [list(g) for _, g in groupby(trials, lambda one: (one.block, one.task, one.layout))]
    assert len(runs) == cells * blocks
    assert len({(run[0].block, run[0].task, run[0].layout) for run in runs}) == cells * blocks
    assert all(sorted(one.code for one in run) == list(CODES[:conditions]) for run in runs)


@settings(deadline=None, max_examples=40)
@given(designs())
def test_each_condition_is_equally_often_at_each_position(design) -> None:
    conditions, cells, blocks, _ = design
    positions = Counter((one.code, one.trial % conditions) for one in plan(*design))

    assert set(positions.values()) == {cells * blocks // conditions}


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 2**31 - 1))
def test_over_whole_designs_each_follows_each_other_equally_often(
    conditions: int, repeats: int, seed: int
) -> None:
    rows = conditions * len(williams_squares(conditions)) * repeats
    trials = plan(conditions, rows, 1, seed)
    follows = Counter(
        (one.code, other.code) for one, other in pairwise(trials)
        if other.trial % conditions
    )  # fmt: skip

    assert set(follows.values()) == {rows // conditions}
    assert len(follows) == conditions * (conditions - 1)


def test_the_order_depends_on_the_seed_and_on_nothing_else() -> None:
    assert plan(3, 6, 2, 7) == plan(3, 6, 2, 7)
    assert plan(3, 6, 2, 7) != plan(3, 6, 2, 8)


def test_the_order_of_a_seed_stays_what_it_was() -> None:
    """Golden: published sessions can be drawn again with another version."""
    order = [
        (one.task, one.layout, one.code)
        for one in plan_order('AB', [('t', 'x'), ('t', 'y')], 1, 0)
    ]

    assert order == [('t', 'y', 'B'), ('t', 'y', 'A'), ('t', 'x', 'A'), ('t', 'x', 'B')]


@pytest.mark.parametrize(
    ('conditions', 'cells', 'blocks', 'named'),
    [
        (3, 4, 1, '4, and 3 .*multiple of 3.* 3 or 6'),
        (4, 2, 1, '2, and 4 .* 4'),
        (1, 4, 1, '1 conditions'),
        (2, 0, 1, '0 pairs'),
        (2, 2, 0, '0 blocks'),
    ],
)
def test_what_cannot_be_balanced_is_named_with_what_can(
    conditions: int, cells: int, blocks: int, named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named):
        plan(conditions, cells, blocks, 0)
