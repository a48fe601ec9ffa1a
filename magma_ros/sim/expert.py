"""A scripted expert that knows the truth: the teacher of magma-nano and the upper bound of the tasks.

A feedback law without memory: it can label any state, also those a clumsy policy gets into (DAgger). Each axis is
clipped on its own and no goal jumps with time, which makes it easy to imitate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import EndEffectorDelta, FloatArray
from magma_ros.rotations import down_with_euler
from magma_ros.sim.tasks import CUBE_EDGE_M, Task, Truth, push_sign

GAIN = 0.9  # share of the way that is left
STEP_M, STEP_RAD = 0.05, 0.25  # largest delta per axis, the ends of magma-nano's action bins
GRASP_Z_M = 0.020
HOVER_Z_M = 0.085
LIFT_Z_M = 0.13
CARRY_Z_M = 0.105
PLACE_Z_M = {'plate': 0.034, 'bowl': 0.048}  # over the wall of a bowl
PUSH_BEHIND_M = 0.050


@dataclass(frozen=True)
class Wish:
    """Where the expert wants the tool: position (m), yaw away from straight down (rad), gripper 0 or 1."""

    position_m: FloatArray
    yaw_rad: float
    gripper: float
    lateral: float = 1.0  # share of the sideways error to act on: up or down first, then sideways


def expert_delta(task: Task, truth: Truth) -> EndEffectorDelta:
    """The expert's action in this state: relative to the pose the tool has now."""
    wish = _WISHES[task.kind](task, truth)
    move = GAIN * (wish.position_m - truth.tool_m)
    move[:2] *= wish.lateral
    turn = (
        down_with_euler(np.array([0.0, 0.0, wish.yaw_rad]))
        * down_with_euler(truth.tool_rpy_rad).inv()
    )
    euler = np.clip(GAIN * turn.as_euler('xyz'), -STEP_RAD, STEP_RAD)
    return EndEffectorDelta(
        np.clip(move, -STEP_M, STEP_M), Rotation.from_euler('xyz', euler).as_rotvec(), wish.gripper
    )


def is_holding(truth: Truth, target: str) -> bool:
    """Whether the target is between the fingers (measured gap while holding: 31 to 34 mm)."""
    near = np.linalg.norm(truth.positions_m[target] - truth.tool_m) < 0.022
    return bool(near and 0.026 < truth.finger_gap_m < 0.038)


def grasp_yaw(truth: Truth, target: str) -> float:
    """The gripper yaw, of the four that fit the cube, that is nearest to the present one."""
    quarter = np.pi / 2
    now = truth.tool_rpy_rad[2]
    error = (truth.yaws_rad[target] - now + quarter / 2) % quarter - quarter / 2
    yaw = now + error
    # Keep the wrist near its middle: beyond 1.2 rad take the next equivalent yaw.
    return float(yaw - np.sign(yaw) * quarter if abs(yaw) > 1.2 else yaw)


def _reach(task: Task, truth: Truth) -> Wish:
    cube = truth.positions_m[task.target]
    near = float(np.hypot(*(cube - truth.tool_m)[:2]))
    goal = np.array([cube[0], cube[1], 0.055 + min(0.045, 1.5 * max(0.0, near - 0.01))])
    return Wish(
        goal, grasp_yaw(truth, task.target), 1.0, _lateral(truth, near > 0.03, 0.045, 0.02)
    )


def _approach(task: Task, truth: Truth) -> Wish:
    """Down a funnel onto the cube, then close."""
    cube = truth.positions_m[task.target]
    near = float(np.hypot(*(cube - truth.tool_m)[:2]))
    yaw = grasp_yaw(truth, task.target)
    misaligned = max(0.0, abs(yaw - truth.tool_rpy_rad[2]) - 0.12)
    tilt = max(0.0, float(np.abs(truth.tool_rpy_rad[:2]).max()) - 0.05)
    grasp_z = cube[2] + GRASP_Z_M - CUBE_EDGE_M / 2
    funnel = 3.5 * max(0.0, near - 0.008) + 0.12 * misaligned + 0.3 * tilt
    goal = np.array([cube[0], cube[1], min(max(HOVER_Z_M, grasp_z), grasp_z + funnel)])
    in_place = near < 0.012 and truth.tool_m[2] - grasp_z < 0.008 and misaligned < 0.1
    closed_on_it = near < 0.014 and truth.finger_gap_m < 0.05 and truth.tool_m[2] - grasp_z < 0.012
    return Wish(
        goal,
        yaw,
        0.0 if in_place or closed_on_it else 1.0,
        _lateral(truth, near > 0.02, 0.045, 0.02),
    )


def _pick(task: Task, truth: Truth) -> Wish:
    if not is_holding(truth, task.target):
        return _approach(task, truth)
    goal = np.array([truth.tool_m[0], truth.tool_m[1], LIFT_Z_M])
    return Wish(goal, float(truth.tool_rpy_rad[2]), 0.0)


def _put(task: Task, truth: Truth) -> Wish:
    assert task.destination is not None
    cube, place = truth.positions_m[task.target], truth.positions_m[task.destination]
    now = truth.tool_m
    if (
        np.hypot(*(cube - place)[:2]) < 0.040
        and cube[2] < 0.035
        and not (is_holding(truth, task.target) and now[2] > 0.06)
    ):
        opened = truth.finger_gap_m > 0.045
        goal = np.array([now[0], now[1], 0.12 if opened else now[2]])
        return Wish(goal, float(truth.tool_rpy_rad[2]), 1.0)
    if not is_holding(truth, task.target):
        return _approach(task, truth)
    away = float(np.hypot(*(place - cube)[:2]))
    place_z = PLACE_Z_M[task.destination.split()[1]]
    target_xy = place[:2] + (now - cube)[:2]
    goal_z = min(CARRY_Z_M, place_z + 3.0 * max(0.0, away - 0.012))
    release = away < 0.020 and now[2] < place_z + 0.010
    lateral = float(np.clip((now[2] - 0.06) / 0.025, 0, 1)) if away > 0.03 else 1.0
    return Wish(
        np.array([*target_xy, goal_z]),
        float(truth.tool_rpy_rad[2]),
        1.0 if release else 0.0,
        lateral,
    )


def _push(task: Task, truth: Truth) -> Wish:
    """Closed gripper beside the cube, then along the table."""
    assert task.direction is not None
    cube, now, sign = truth.positions_m[task.target], truth.tool_m, push_sign(task.direction)
    behind = (cube[1] - now[1]) * sign
    yaw = 0.0
    pushing = (
        behind > 0.026 and abs(cube[0] - now[0]) < 0.014 and now[2] < 0.036 and behind < 0.062
    )
    if pushing:
        goal = np.array([cube[0], np.clip(now[1] + sign * 0.045, -0.185, 0.185), GRASP_Z_M])
        return Wish(goal, yaw, 0.0)
    start = np.array([cube[0], cube[1] - sign * PUSH_BEHIND_M])
    near = float(np.hypot(*(start - now[:2])))
    tilt = max(0.0, float(np.abs(truth.tool_rpy_rad[:2]).max()) - 0.05)
    goal = np.array(
        [*start, min(HOVER_Z_M, GRASP_Z_M + 3.5 * max(0.0, near - 0.008) + 0.3 * tilt)]
    )
    return Wish(goal, yaw, 0.0, _lateral(truth, near > 0.02, 0.045, 0.02))


def _lateral(truth: Truth, far: bool, free_z_m: float, over_m: float) -> float:
    """0 below ``free_z_m`` while far away (rise first), 1 above it."""
    return float(np.clip((truth.tool_m[2] - free_z_m) / over_m, 0.0, 1.0)) if far else 1.0


_WISHES = {'reach': _reach, 'pick': _pick, 'put': _put, 'push': _push}
