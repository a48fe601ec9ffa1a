"""The path a task calls for, as key points in the base frame: what magma-nano learns to draw.

The points where something is touched (those with a gripper event, and the last one) lie on a
surface, so that aligned depth lifts them back to 3D. The points between shape the drawn trace;
nothing is executed from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray, GripperEvent
from magma_ros.sim.expert import CARRY_Z_M, HOVER_Z_M, PUSH_BEHIND_M, is_holding
from magma_ros.sim.tasks import CUBE_EDGE_M, Task, Truth, push_sign

PUSH_BEYOND_M = 0.10  # a push ends this far beyond where the cube is
PLATE_TOP_M = 0.006


@dataclass(frozen=True)
class PathLabel:
    """Key points (n, 3) in the base frame and the gripper event at some of them."""

    points_m: FloatArray
    events: dict[int, GripperEvent]


def path_label(task: Task, truth: Truth) -> PathLabel:
    """The rest of the way from this state on."""
    cube = truth.positions_m[task.target]
    top = cube + [0.0, 0.0, CUBE_EDGE_M / 2]
    over = np.array([cube[0], cube[1], HOVER_Z_M])
    if task.kind == 'reach':
        return PathLabel(np.stack([over, top]), {})
    if task.kind == 'pick':
        return PathLabel(np.stack([over, top]), {1: GripperEvent.CLOSE})
    if task.kind == 'put':
        assert task.destination is not None
        place = truth.positions_m[task.destination] + [0.0, 0.0, PLATE_TOP_M]
        carried = np.array([place[0], place[1], CARRY_Z_M])
        if is_holding(truth, task.target):
            return PathLabel(np.stack([carried, place]), {1: GripperEvent.OPEN})
        lifted = np.array([cube[0], cube[1], CARRY_Z_M])
        return PathLabel(
            np.stack([over, top, lifted, carried, place]),
            {1: GripperEvent.CLOSE, 4: GripperEvent.OPEN},
        )
    assert task.direction is not None
    sign = push_sign(task.direction)
    beside = np.array([cube[0], cube[1] - sign * PUSH_BEHIND_M, 0.0])
    end = np.array([cube[0], np.clip(cube[1] + sign * PUSH_BEYOND_M, -0.185, 0.185), 0.0])
    return PathLabel(
        np.stack([beside + [0.0, 0.0, HOVER_Z_M], beside, end]), {1: GripperEvent.CLOSE}
    )
