"""The rules of success, with truths made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from magma_ros.errors import InstructionError
from magma_ros.sim.tasks import (
    CUBES,
    HOLD_TO_COUNT_S,
    RECEPTACLES,
    SuccessJudge,
    Task,
    Truth,
    is_satisfied,
)

START = Truth(
    tool_m=np.array([0.25, 0.0, 0.15]),
    tool_rpy_rad=np.zeros(3),
    finger_gap_m=0.058,
    positions_m={
        **{name: np.array([0.2 + 0.08 * i, 0.1, 0.016]) for i, name in enumerate(CUBES)},
        **{name: np.array([0.2 + 0.1 * i, -0.1, 0.0]) for i, name in enumerate(RECEPTACLES)},
    },
    yaws_rad={name: 0.0 for name in CUBES},
)
RED = START.positions_m['red cube']
PLATE = START.positions_m['blue plate']


def truth(red: Any = RED, tool: Any = START.tool_m, gap: float = 0.058) -> Truth:
    positions = {**START.positions_m, 'red cube': np.array(red)}
    return replace(START, positions_m=positions, tool_m=np.array(tool), finger_gap_m=gap)


@pytest.mark.parametrize(
    ('tool', 'satisfied'),
    [
        (RED + [0.0, 0.0, 0.04], True),
        (RED + [0.019, 0.0, 0.04], True),
        (RED + [0.015, 0.015, 0.04], False),  # 21 mm aside
        (RED + [0.0, 0.0, 0.06], False),  # 76 mm high
        (START.positions_m['green cube'] + [0.0, 0.0, 0.04], False),  # another cube
    ],
)
def test_reach_is_close_above_the_right_cube(tool: np.ndarray, satisfied: bool) -> None:
    assert is_satisfied(Task('reach', 'red cube'), truth(tool=tool), START) is satisfied


@pytest.mark.parametrize(
    ('red', 'tool', 'satisfied'),
    [
        ([0.2, 0.1, 0.08], [0.2, 0.1, 0.085], True),
        ([0.2, 0.1, 0.059], [0.2, 0.1, 0.06], False),  # not high enough
        ([0.2, 0.1, 0.08], [0.2, 0.1, 0.12], False),  # thrown, not held
    ],
)
def test_pick_is_held_above_the_table(red: list, tool: list, satisfied: bool) -> None:
    assert is_satisfied(Task('pick', 'red cube'), truth(red, tool), START) is satisfied


@pytest.mark.parametrize(
    ('red', 'tool', 'gap', 'satisfied'),
    [
        (PLATE + [0.02, 0.02, 0.022], [0.2, -0.1, 0.1], 0.058, True),
        (PLATE + [0.04, 0.03, 0.022], [0.2, -0.1, 0.1], 0.058, False),  # 50 mm off the middle
        (PLATE + [0.0, 0.0, 0.06], [0.2, -0.1, 0.1], 0.058, False),  # in the air
        (PLATE + [0.0, 0.0, 0.022], [0.2, -0.1, 0.1], 0.032, False),  # gripper not open
        (PLATE + [0.0, 0.0, 0.022], [0.2, -0.1, 0.03], 0.058, False),  # gripper still there
        (START.positions_m['yellow plate'], [0.2, -0.1, 0.1], 0.058, False),  # another plate
    ],
)
def test_put_is_on_the_right_plate_and_let_go(
    red: np.ndarray, tool: list, gap: float, satisfied: bool
) -> None:
    task = Task('put', 'red cube', destination='blue plate')

    assert is_satisfied(task, truth(red, tool, gap), START) is satisfied


@pytest.mark.parametrize(
    ('direction', 'moved', 'satisfied'),
    [
        ('right', [0.0, 0.06, 0.0], True),
        ('left', [0.0, -0.06, 0.0], True),
        ('right', [0.0, -0.06, 0.0], False),
        ('right', [0.0, 0.045, 0.0], False),  # not far enough
        ('right', [0.05, 0.06, 0.0], False),  # pushed away sideways
        ('right', [0.0, 0.06, 0.02], False),  # carried
    ],
)
def test_push_is_along_the_table_in_the_right_direction(
    direction: str, moved: list, satisfied: bool
) -> None:
    task = Task('push', 'red cube', direction=direction)

    assert is_satisfied(task, truth(RED + moved), START) is satisfied


def test_a_success_must_last_without_a_break() -> None:
    judge = SuccessJudge(Task('reach', 'red cube'), START)
    there, away = truth(tool=RED + [0.0, 0.0, 0.04]), START

    assert not judge.update(there, 1.0)
    assert not judge.update(there, 1.0 + HOLD_TO_COUNT_S - 0.02)
    assert not judge.update(away, 1.0 + HOLD_TO_COUNT_S)
    assert not judge.update(there, 2.0)
    assert judge.update(there, 2.0 + HOLD_TO_COUNT_S)


def test_put_counts_sooner_for_it_ends_at_rest() -> None:
    judge = SuccessJudge(Task('put', 'red cube', destination='blue plate'), START)
    done = truth(PLATE + [0.0, 0.0, 0.022], [0.2, -0.1, 0.1])

    assert not judge.update(done, 0.0)
    assert judge.update(done, 0.2)


@pytest.mark.parametrize(
    ('fields', 'named'),
    [
        ({'kind': 'juggle', 'target': 'red cube'}, 'reach, pick, put, push'),
        ({'kind': 'pick', 'target': 'pink cube'}, 'red cube, green cube, blue cube'),
        ({'kind': 'put', 'target': 'red cube'}, 'blue plate, yellow plate, white bowl'),
        ({'kind': 'pick', 'target': 'red cube', 'destination': 'blue plate'}, 'blue plate'),
        ({'kind': 'push', 'target': 'red cube', 'direction': 'up'}, 'left, right'),
        ({'kind': 'reach', 'target': 'red cube', 'direction': 'left'}, 'left, right'),
    ],
)
def test_a_task_that_makes_no_sense_names_what_would(fields: dict, named: str) -> None:
    with pytest.raises(InstructionError, match=named):
        Task(**fields)
