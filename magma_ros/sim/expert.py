"""A scripted expert that knows the truth: magma-nano's teacher and the upper bound of the tasks.

A feedback law without memory: it can label any state, also those a clumsy policy gets into
(DAgger). Each axis is clipped on its own and no goal jumps with time, which makes it easy to
imitate.
"""

from __future__ import annotations

import numpy as np

from magma_ros.data_types import EndEffectorDelta, FloatArray
from magma_ros.motion.approach import ToolGoal, delta_towards, tilt_rad
from magma_ros.motion.funnel import funnel_height, rise_first, rise_to_align
from magma_ros.sim.tasks import CUBE_EDGE_M, Task, Truth, push_sign

GRASP_Z_M = 0.020
REACH_Z_M = 0.055
HOVER_Z_M = 0.085
LIFT_Z_M = 0.13
CARRY_Z_M = 0.105
PLACE_Z_M = {'plate': 0.034, 'bowl': 0.048}  # over the wall of a bowl
PUSH_BEHIND_M = 0.050
FUNNEL_SLOPE, FUNNEL_FREE_M = 2.0, 0.010  # gentle: a student misjudges where the cube is by 4 mm
YAW_RAD = 0.0  # of all goals; a cube fits between the open fingers however it lies


def expert_delta(task: Task, truth: Truth) -> EndEffectorDelta:
    """The expert's action in this state: relative to the pose the tool has now."""
    return delta_towards(_GOALS[task.kind](task, truth), truth.tool_m, truth.tool_rpy_rad)


def is_holding(truth: Truth, target: str) -> bool:
    """Whether the target is between the fingers.

    The measured gap while holding is 31 to 34 mm, and up to 45 mm (the diagonal) of a cube that
    lies askew and that the pads did not turn.
    """
    near = np.linalg.norm(truth.positions_m[target] - truth.tool_m) < 0.022
    return bool(near and 0.026 < truth.finger_gap_m < 0.046)


def _reach(task: Task, truth: Truth) -> ToolGoal:
    cube = truth.positions_m[task.target]
    near = _distance(cube, truth.tool_m)
    height = funnel_height(REACH_Z_M, 0.10, near, 1.5, 0.01)
    lateral = _rise_first(truth) if near > 0.03 else 1.0
    goal = np.array([cube[0], cube[1], height])
    return ToolGoal(goal, YAW_RAD, 1.0, lateral)


def _approach(task: Task, truth: Truth) -> ToolGoal:
    """Down a funnel onto the cube, then close."""
    cube = truth.positions_m[task.target]
    near = _distance(cube, truth.tool_m)
    raised = rise_to_align(0.0, tilt_rad(truth.tool_rpy_rad))
    grasp_z = cube[2] + GRASP_Z_M - CUBE_EDGE_M / 2
    height = funnel_height(grasp_z, HOVER_Z_M, near, FUNNEL_SLOPE, FUNNEL_FREE_M, raised)
    above = truth.tool_m[2] - grasp_z
    in_place = near < 0.012 and above < 0.008
    closed_on_it = near < 0.014 and truth.finger_gap_m < 0.05 and above < 0.012
    lateral = _rise_first(truth) if near > 0.02 else 1.0
    goal = np.array([cube[0], cube[1], height])
    return ToolGoal(goal, YAW_RAD, 0.0 if in_place or closed_on_it else 1.0, lateral)


def _pick(task: Task, truth: Truth) -> ToolGoal:
    if not is_holding(truth, task.target):
        return _approach(task, truth)
    goal = np.array([truth.tool_m[0], truth.tool_m[1], LIFT_Z_M])
    return ToolGoal(goal, YAW_RAD, 0.0)


def _put(task: Task, truth: Truth) -> ToolGoal:
    assert task.destination is not None
    cube, place = truth.positions_m[task.target], truth.positions_m[task.destination]
    now = truth.tool_m
    away = _distance(place, cube)
    holding = is_holding(truth, task.target)
    if away < 0.040 and cube[2] < 0.035 and not (holding and now[2] > 0.06):
        opened = truth.finger_gap_m > 0.045
        return ToolGoal(np.array([now[0], now[1], 0.12 if opened else now[2]]), YAW_RAD, 1.0)
    if not holding:
        return _approach(task, truth)
    place_z = PLACE_Z_M[task.destination.split()[1]]
    target_xy = place[:2] + (now - cube)[:2]
    height = funnel_height(place_z, CARRY_Z_M, away, 3.0, 0.012)
    release = away < 0.020 and now[2] < place_z + 0.010
    lateral = rise_first(now[2], 0.06, 0.025) if away > 0.03 else 1.0
    return ToolGoal(np.array([*target_xy, height]), YAW_RAD, 1.0 if release else 0.0, lateral)


def _push(task: Task, truth: Truth) -> ToolGoal:
    """Closed gripper beside the cube, then along the table."""
    assert task.direction is not None
    cube, now, sign = truth.positions_m[task.target], truth.tool_m, push_sign(task.direction)
    behind = (cube[1] - now[1]) * sign
    if 0.026 < behind < 0.062 and abs(cube[0] - now[0]) < 0.014 and now[2] < 0.036:
        ahead_y = np.clip(now[1] + sign * 0.045, -0.185, 0.185)
        return ToolGoal(np.array([cube[0], ahead_y, GRASP_Z_M]), YAW_RAD, 0.0)
    start = np.array([cube[0], cube[1] - sign * PUSH_BEHIND_M])
    near = _distance(start, now)
    raised = rise_to_align(0.0, tilt_rad(truth.tool_rpy_rad))
    height = funnel_height(GRASP_Z_M, HOVER_Z_M, near, FUNNEL_SLOPE, FUNNEL_FREE_M, raised)
    lateral = _rise_first(truth) if near > 0.02 else 1.0
    return ToolGoal(np.array([*start, height]), YAW_RAD, 0.0, lateral)


def _distance(one_m: FloatArray, other_m: FloatArray) -> float:
    """Horizontal distance."""
    return float(np.hypot(*(one_m[:2] - other_m[:2])))


def _rise_first(truth: Truth) -> float:
    return rise_first(truth.tool_m[2], 0.045, 0.02)


_GOALS = {'reach': _reach, 'pick': _pick, 'put': _put, 'push': _push}
