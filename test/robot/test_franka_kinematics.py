"""The Franka description against vectors computed by hand from the vendor's joint origins."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.robot.kinematics import Kinematics
from magma_ros.rotations import matrix_from_pose

GOLDEN = json.loads((Path(__file__).parents[1] / 'golden' / 'franka_kinematics.json').read_text())
PANDA, FR3 = load_arm_profile('panda'), load_arm_profile('fr3')
CHAINS = {
    link: Kinematics(PANDA.urdf_text(), PANDA.joint_names, f'panda_{link}')
    for link in ('link8', 'hand_tcp')
}


@pytest.mark.parametrize('link', CHAINS)
@pytest.mark.parametrize('case', GOLDEN['cases'], ids=lambda case: case['name'])
def test_forward_kinematics_and_condition_are_the_golden_ones(case: dict, link: str) -> None:
    joints, golden = np.array(case['q']), case[link]

    matrix = matrix_from_pose(CHAINS[link].forward(joints))
    condition = CHAINS[link].condition(joints)

    assert matrix[:3, 3] == pytest.approx(golden['xyz'], abs=1e-8)
    assert matrix[:3, :3] == pytest.approx(np.array(golden['R']), abs=1e-8)
    if golden['cond'] is None:  # singular
        assert condition > 1e4
    else:
        assert condition == pytest.approx(golden['cond'], rel=1e-3)


def test_jacobian_is_the_golden_one() -> None:
    golden = GOLDEN['jacobian']

    assert CHAINS['link8'].jacobian(np.array(golden['q'])) == pytest.approx(
        np.array(golden['J']), abs=1e-8
    )


def test_both_franka_arms_have_one_geometry() -> None:
    joints = np.array(GOLDEN['cases'][-1]['q'])

    panda, fr3 = (matrix_from_pose(arm.kinematics().forward(joints)) for arm in (PANDA, FR3))

    assert fr3 == pytest.approx(panda, abs=1e-12)


def test_a_tool_frame_turns_the_axes_and_keeps_the_point() -> None:
    joints = np.array(GOLDEN['cases'][-1]['q'])
    tip = matrix_from_pose(CHAINS['hand_tcp'].forward(joints))
    tool = matrix_from_pose(PANDA.kinematics().forward(joints))

    assert tool[:3, 3] == pytest.approx(tip[:3, 3])
    assert tool[:3, 0] == pytest.approx(tip[:3, 2])  # approaches where the hand points
    assert abs(tool[:3, 1] @ tip[:3, 1]) == pytest.approx(1.0)  # opens where the fingers do
    assert PANDA.kinematics().jacobian(joints) == pytest.approx(
        CHAINS['hand_tcp'].jacobian(joints)
    )


def test_the_fr3_allows_our_joint_speed_wherever_servo_moves_it() -> None:
    """Its speed limits shrink towards the ends of a joint; our margin keeps clear of that."""
    for place, limit in enumerate(GOLDEN['fr3_speed']):
        for bound, end in (
            (limit['q_upper'], FR3.joint_upper_rad[place]),
            (limit['q_lower'], FR3.joint_lower_rad[place]),
        ):
            room = abs(bound - end) + FR3.joint_margin_rad
            allowed = min(limit['vmax'], -limit['a'] + np.sqrt(limit['b'] * room)) - 1e-3
            assert FR3.joint_speed_rad_s[place] < allowed
