"""Against vectors computed by hand from the vendor's joint origins, and against itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.robot.kinematics import Kinematics, pose_error, shifted
from magma_ros.rotations import down_with_euler, make_pose, matrix_from_pose, rotation_of

GOLDEN = json.loads((Path(__file__).parents[1] / 'golden' / 'wx250s_kinematics.json').read_text())
PROFILE = load_arm_profile('wx250s')
KINEMATICS = PROFILE.kinematics()


@pytest.mark.parametrize('case', GOLDEN['cases'], ids=lambda case: case['name'])
def test_forward_kinematics_are_the_golden_ones(case: dict) -> None:
    matrix = matrix_from_pose(KINEMATICS.forward(np.array(case['q'])))

    assert matrix[:3, 3] == pytest.approx(case['xyz'], abs=1e-8)
    assert matrix[:3, :3] == pytest.approx(np.array(case['R']), abs=1e-8)


@pytest.mark.parametrize('case', GOLDEN['cases'], ids=lambda case: case['name'])
def test_condition_is_the_golden_one(case: dict) -> None:
    condition = KINEMATICS.condition(np.array(case['q']))

    if case['cond'] is None:  # singular
        assert condition > 1e4
    else:
        assert condition == pytest.approx(case['cond'], rel=1e-3)


def test_jacobian_is_the_golden_one() -> None:
    golden = GOLDEN['jacobian']

    assert KINEMATICS.jacobian(np.array(golden['q'])) == pytest.approx(
        np.array(golden['J']), abs=1e-8
    )


joints = st.tuples(
    *(
        st.floats(low, high)
        for low, high in zip(KINEMATICS.lower_rad, KINEMATICS.upper_rad, strict=True)
    )
)


@settings(deadline=None, max_examples=30)
@given(joints, st.integers(0, 5))
def test_jacobian_is_the_derivative_of_forward(at: tuple[float, ...], joint: int) -> None:
    step = 1e-6 * np.eye(6)[joint]
    before, after = KINEMATICS.forward(at - step), KINEMATICS.forward(at + step)

    derivative = pose_error(before, after) / 2e-6
    assert KINEMATICS.jacobian(np.array(at))[:, joint] == pytest.approx(derivative, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.floats(0.18, 0.36), st.floats(-0.16, 0.16), st.floats(0.02, 0.20)),
    st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(-1.0, 1.0)),
)
def test_inverse_reaches_the_workspace(
    position: tuple[float, ...], euler: tuple[float, ...]
) -> None:
    goal = make_pose(np.array(position), down_with_euler(np.array(euler)))

    found = KINEMATICS.inverse(goal, np.array(PROFILE.start_joints_rad))

    assert found is not None
    assert np.abs(pose_error(KINEMATICS.forward(found), goal)).max() < 1e-4
    assert (found >= KINEMATICS.lower_rad).all()
    assert (found <= KINEMATICS.upper_rad).all()


def test_inverse_says_none_out_of_reach() -> None:
    goal = make_pose(np.array([0.9, 0.0, 0.2]), down_with_euler(np.zeros(3)))

    assert KINEMATICS.inverse(goal, np.array(PROFILE.start_joints_rad), iterations=50) is None


def test_pose_error_moves_one_pose_onto_the_other() -> None:
    start = make_pose(np.array([0.3, 0.1, 0.2]), down_with_euler(np.array([0.1, -0.2, 0.3])))
    goal = make_pose(np.array([0.2, 0.0, 0.1]), down_with_euler(np.array([-0.3, 0.1, 0.9])))

    error = pose_error(start, goal)

    assert start.translation_m + error[:3] == pytest.approx(goal.translation_m)
    turned = Rotation.from_rotvec(error[3:]) * rotation_of(start)
    assert turned.as_matrix() == pytest.approx(rotation_of(goal).as_matrix())


def test_shifted_keeps_the_orientation() -> None:
    start = make_pose(np.array([0.3, 0.1, 0.2]), down_with_euler(np.array([0.1, -0.2, 0.3])))

    moved = shifted(start, np.array([0.0, 0.0, 0.05]))

    assert moved.translation_m == pytest.approx([0.3, 0.1, 0.25])
    assert moved.quaternion_xyzw == pytest.approx(start.quaternion_xyzw)


def test_unknown_joints_are_named_beside_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'hip'.*'waist', 'shoulder'"):
        Kinematics(PROFILE.urdf_text(), ('hip', 'shoulder'), PROFILE.tip_link)


def test_unknown_link_is_named_beside_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r'"tool0".*wx250s/ee_gripper_link'):
        Kinematics(PROFILE.urdf_text(), PROFILE.joint_names, 'tool0')


def test_joints_out_of_order_are_refused() -> None:
    swapped = ('shoulder', 'waist', *PROFILE.joint_names[2:])

    with pytest.raises(ConfigurationError, match='joint order'):
        Kinematics(PROFILE.urdf_text(), swapped, PROFILE.tip_link)
