"""The follower with an arm that does at once what it is told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from magma_ros.data_types import ArmState, GripperEvent, GuidedPath, Pose
from magma_ros.motion.path_follower import (
    DROP_ABOVE_M,
    GRASP_BELOW_TOP_M,
    LIFT_M,
    PUSH_HEIGHT_M,
    REACH_ABOVE_M,
    PathFollower,
)
from magma_ros.rotations import down_with_euler, euler_from_down, make_pose, rotation_of

CLOSE, OPEN = GripperEvent.CLOSE, GripperEvent.OPEN
START = make_pose(np.array([0.26, 0.02, 0.16]), down_with_euler(np.array([0.1, -0.1, 0.4])))
CUBE, PLACE = [0.32, -0.08, 0.032], [0.24, 0.10, 0.006]


def path(points: list, events: dict[int, GripperEvent], yaw: float = 0.0) -> GuidedPath:
    return GuidedPath(np.array(points, float), events, np.full(len(points), yaw))


def follow(guided: GuidedPath, steps: int = 60, start: Pose = START):
    """Poses (steps, 3), yaws and gripper openings, one for each step."""
    follower, pose, gripper = PathFollower(guided), start, 1.0
    positions, yaws, grippers = [], [], []
    for _ in range(steps):
        delta = follower.step(ArmState(np.zeros(6), np.zeros(6), pose, gripper, 0))
        turned = Rotation.from_rotvec(delta.rotation_vector_rad) * rotation_of(pose)
        pose = make_pose(pose.translation_m + delta.translation_m, turned)
        gripper = delta.gripper_opening
        positions.append(pose.translation_m)
        yaws.append(euler_from_down(pose)[2])
        grippers.append(gripper)
    return np.array(positions), np.array(yaws), np.array(grippers)


def test_a_reach_ends_above_the_point_with_the_gripper_open() -> None:
    positions, _, grippers = follow(path([CUBE], {}))

    assert positions[-1] == pytest.approx(np.add(CUBE, [0, 0, REACH_ABOVE_M]), abs=1e-3)
    assert (grippers == 1.0).all()


def test_a_pick_closes_around_the_cube_and_lifts() -> None:
    positions, yaws, grippers = follow(path([CUBE], {0: CLOSE}, yaw=0.3))

    closed = int(np.argmax(grippers == 0.0))
    grasp = [CUBE[0], CUBE[1], CUBE[2] - GRASP_BELOW_TOP_M]
    assert positions[closed] == pytest.approx(grasp, abs=0.008)
    assert yaws[closed] == pytest.approx(0.3, abs=0.23)
    assert (grippers[closed:] == 0.0).all()
    waiting = positions[closed : closed + 3]
    assert np.ptp(waiting, axis=0).max() < 1e-9  # it stays while the fingers close
    assert positions[-1] == pytest.approx([*waiting[0][:2], LIFT_M], abs=1e-3)


def test_a_put_carries_high_opens_and_rises() -> None:
    positions, _, grippers = follow(path([CUBE, PLACE], {0: CLOSE, 1: OPEN}))

    closed = int(np.argmax(grippers == 0.0))
    opened = closed + int(np.argmax(grippers[closed:] == 1.0))
    assert positions[opened] == pytest.approx(np.add(PLACE, [0, 0, DROP_ABOVE_M]), abs=0.009)
    carried = positions[closed:opened]
    midway = np.abs(carried[:, 1]) < 0.05
    assert midway.any()
    assert carried[midway, 2].min() > 0.06
    assert (grippers[opened:] == 1.0).all()
    assert positions[-1][2] == pytest.approx(LIFT_M, abs=1e-3)


def test_a_way_back_after_a_put_is_no_push() -> None:
    guided = path([CUBE, PLACE, [0.30, 0.1, 0.0]], {0: CLOSE, 1: OPEN})

    positions, _, grippers = follow(guided)

    closed = int(np.argmax(grippers == 0.0))
    assert positions[closed][:2] == pytest.approx(CUBE[:2], abs=0.008)
    assert grippers[-1] == 1.0
    assert positions[-1][:2] == pytest.approx(PLACE[:2], abs=0.011)


def test_a_push_keeps_the_gripper_closed_and_ends_at_the_last_point() -> None:
    start, end = [0.30, -0.05, 0.0], [0.30, 0.08, 0.0]

    positions, yaws, grippers = follow(path([start, end], {0: CLOSE}))

    assert (grippers == 0.0).all()
    assert positions[-1] == pytest.approx(np.add(end, [0, 0, PUSH_HEIGHT_M]), abs=1e-3)
    assert yaws[-1] == pytest.approx(0.0, abs=1e-3)
    low = positions[:, 2] < 0.03
    assert np.abs(positions[low, 0] - 0.30).max() < 0.009
    assert positions[np.argmax(low), 1] == pytest.approx(-0.05, abs=0.009)


def test_a_path_that_begins_with_open_goes_on_with_what_is_held() -> None:
    positions, _, grippers = follow(path([PLACE], {0: OPEN}))

    opened = int(np.argmax(grippers == 1.0))
    assert opened > 0
    assert (grippers[:opened] == 0.0).all()
    assert positions[opened][:2] == pytest.approx(PLACE[:2], abs=0.011)


def test_it_never_goes_low_far_from_the_contact() -> None:
    low_start = make_pose(np.array([0.22, 0.1, 0.03]), down_with_euler(np.zeros(3)))

    positions, _, _ = follow(path([CUBE], {0: CLOSE}), start=low_start)

    away = np.hypot(*(positions - CUBE)[:, :2].T)
    middle = (away > 0.05) & (away < 0.15)
    assert middle.any()
    assert positions[middle, 2].min() > 0.05


def test_the_square_block_is_grasped_at_the_nearest_yaw() -> None:
    _, yaws, grippers = follow(path([CUBE], {0: CLOSE}, yaw=-0.7))

    closed = int(np.argmax(grippers == 0.0))
    assert yaws[closed] == pytest.approx(np.pi / 2 - 0.7, abs=0.23)
