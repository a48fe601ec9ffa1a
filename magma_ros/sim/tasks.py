"""The tasks of the simulated table, and the rules that say when one is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from magma_ros.errors import InstructionError

TaskKind = Literal['reach', 'pick', 'put', 'push']
TASK_KINDS: tuple[TaskKind, ...] = ('reach', 'pick', 'put', 'push')

CUBES = ('red cube', 'green cube', 'blue cube')
RECEPTACLES = ('blue plate', 'yellow plate', 'white bowl')
DISTRACTORS = ('orange can', 'purple can')
DIRECTIONS = ('left', 'right')  # as seen in the picture

CUBE_EDGE_M = 0.032
RECEPTACLE_RADIUS_M = 0.045
BOWL_HEIGHT_M = 0.020

TIME_LIMIT_S: dict[TaskKind, float] = {'reach': 10.0, 'pick': 15.0, 'put': 25.0, 'push': 20.0}
PUSH_DISTANCE_M = 0.05
HOLD_TO_COUNT_S = 0.6  # a success must last this long (0.2 s for put, whose end state is at rest)


@dataclass(frozen=True)
class Task:
    """What a sentence asks for, in the terms of the scene."""

    kind: TaskKind
    target: str  # a cube
    destination: str | None = None  # a receptacle, for put
    direction: str | None = None  # left or right in the picture, for push

    def __post_init__(self) -> None:
        if self.kind not in TASK_KINDS:
            raise InstructionError(
                f'unknown task "{self.kind}"; tasks are {", ".join(TASK_KINDS)}'
            )
        if self.target not in CUBES:
            raise InstructionError(f'there is no "{self.target}"; cubes are {", ".join(CUBES)}')
        if (self.kind == 'put') != (self.destination in RECEPTACLES):
            raise InstructionError(
                f'{self.kind} with destination {self.destination}; '
                f'receptacles are {", ".join(RECEPTACLES)}'
            )
        if (self.kind == 'push') != (self.direction in DIRECTIONS):
            raise InstructionError(
                f'{self.kind} with direction {self.direction}; directions are left, right'
            )


@dataclass(frozen=True)
class Truth:
    """Ground truth of one instant, all in the base frame. Never shown to a policy."""

    tool_m: np.ndarray  # (3,) tool centre point
    tool_rpy_rad: np.ndarray  # (3,) away from straight down
    finger_gap_m: float
    positions_m: dict[str, np.ndarray]  # name -> (3,) centre, for everything on the table
    yaws_rad: dict[str, float]  # cubes: rotation about base z


def push_sign(direction: str) -> float:
    """+1 when the direction in the picture is along base +y.

    The camera faces the arm: right in the picture is base +y.
    """
    return 1.0 if direction == 'right' else -1.0


def is_satisfied(task: Task, truth: Truth, start: Truth) -> bool:
    """Whether the goal of ``task`` holds at this instant; HOLD_TO_COUNT_S: how long it must."""
    cube = truth.positions_m[task.target]
    away = cube - truth.tool_m
    if task.kind == 'reach':
        return bool(np.hypot(away[0], away[1]) < 0.02 and truth.tool_m[2] < 0.075)
    if task.kind == 'pick':
        return bool(cube[2] > 0.06 and np.linalg.norm(away) < 0.03)
    if task.kind == 'put':
        assert task.destination is not None
        miss = np.hypot(*(cube - truth.positions_m[task.destination])[:2])
        released = truth.finger_gap_m > 0.045 and truth.tool_m[2] > 0.05
        return bool(miss < RECEPTACLE_RADIUS_M and cube[2] < 0.035 and released)
    assert task.direction is not None
    moved = cube - start.positions_m[task.target]
    return bool(
        moved[1] * push_sign(task.direction) > PUSH_DISTANCE_M
        and abs(moved[0]) < 0.04
        and cube[2] < 0.03
    )


class SuccessJudge:
    """Says when a task has been satisfied for long enough. Reads ground truth only."""

    def __init__(self, task: Task, start: Truth) -> None:
        self._task, self._start = task, start
        self._since_s: float | None = None
        self._needed_s = 0.2 if task.kind == 'put' else HOLD_TO_COUNT_S

    def update(self, truth: Truth, now_s: float) -> bool:
        """True once the goal has held without a break for the needed time."""
        if not is_satisfied(self._task, truth, self._start):
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= self._needed_s - 1e-9
