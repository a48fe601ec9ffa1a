"""What is found without motion: joint reports, transforms; and what a gripper shows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_arm import yaw
from scipy.spatial.transform import Rotation

from magma_ros.motion.commissioning.frame_diagnosis import diagnose_transform
from magma_ros.motion.commissioning.gripper_diagnosis import diagnose_gripper
from magma_ros.motion.commissioning.joint_report import JointManifest, check_joint_report
from magma_ros.motion.commissioning.records import Kind
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.rotations import make_pose, rotation_of

ARMS = ('wx250s', 'panda')


@pytest.fixture(params=ARMS)
def profile(request):
    return load_arm_profile(request.param)


@pytest.fixture
def manifest(profile):
    return JointManifest(
        profile.joint_names,
        np.array(profile.joint_lower_rad),
        np.array(profile.joint_upper_rad),
        profile.gripper_joint,
        profile.finger_closed_m,
        profile.finger_open_m,
    )


@pytest.fixture
def positions(profile):
    """What a good driver reports at the start pose."""
    joints = dict(zip(profile.joint_names, profile.start_joints_rad, strict=True))
    return {**joints, profile.gripper_joint: profile.finger_open_m, 'another': 5.0}


def kinds(found):
    return [mismatch.kind for mismatch in found]


def test_a_good_report_passes(manifest, positions):
    assert check_joint_report(positions, manifest) == ()


def test_each_missing_joint_is_named(manifest, positions):
    for name in (*manifest.names, manifest.gripper_joint):
        less = {other: value for other, value in positions.items() if other != name}

        (found,) = check_joint_report(less, manifest)

        assert found.kind is Kind.MISSING_JOINT
        assert name in found.text


def test_joints_of_another_arm_are_named(manifest):
    assert kinds(check_joint_report({'joint_a': 0.0}, manifest)) == [Kind.OTHER_ARM]


def test_degrees_are_named(manifest, positions):
    joints = {name: math.degrees(positions[name]) for name in manifest.names}

    found = check_joint_report({**positions, **joints}, manifest)

    assert kinds(found) == [Kind.JOINT_UNIT]
    assert 'degrees' in found[0].text


@pytest.mark.parametrize('value', [math.nan, math.inf, 400.0])
def test_a_joint_outside_of_its_limits_is_named(manifest, positions, value):
    name = manifest.names[1]

    found = check_joint_report({**positions, name: value}, manifest)

    assert kinds(found) == [Kind.JOINT_RANGE]


@pytest.mark.parametrize(('factor', 'unit'), [(1000, 'millimetres'), (100, 'centimetres')])
def test_a_finger_in_another_unit_is_named(manifest, positions, factor, unit):
    name = manifest.gripper_joint

    (found,) = check_joint_report({**positions, name: factor * positions[name]}, manifest)

    assert found.kind is Kind.GRIPPER_UNIT
    assert unit in found.text


GRIPPERS = {
    'right': (lambda f: f, []),
    'mm': (lambda f: 1000 * f, [Kind.GRIPPER_UNIT]),
    'gap': (lambda f: 2 * f, [Kind.GRIPPER_UNIT]),
}


@settings(deadline=None, max_examples=40)
@given(
    arm=st.sampled_from(ARMS),
    name=st.sampled_from(sorted(GRIPPERS)),
    is_turned=st.booleans(),
    error=st.floats(-0.1, 0.1),
)
def test_units_and_polarity_of_a_gripper(arm, name, is_turned, error):
    profile = load_arm_profile(arm)
    far_m, near_m = profile.finger_open_m, profile.finger_closed_m
    report, wanted = GRIPPERS[name]
    ends = [report(far_m + error * (far_m - near_m)), report(near_m)]
    if is_turned:
        ends.reverse()

    found = diagnose_gripper(*ends, far_m, near_m)

    assert kinds(found) == [*wanted, *([Kind.GRIPPER_POLARITY] if is_turned else [])]


def test_shares_stuck_fingers_and_other_travel(profile):
    ends = (profile.finger_open_m, profile.finger_closed_m)

    assert kinds(diagnose_gripper(1.0, 0.0, *ends)) == [Kind.GRIPPER_UNIT]
    assert kinds(diagnose_gripper(0.0, 100.0, *ends)) == [Kind.GRIPPER_UNIT, Kind.GRIPPER_POLARITY]
    assert kinds(diagnose_gripper(ends[0], ends[0], *ends)) == [Kind.GRIPPER_STUCK]
    middle = (ends[0] + ends[1]) / 2
    assert kinds(diagnose_gripper(ends[0], middle, *ends)) == [Kind.GRIPPER_TRAVEL]


def test_transforms_that_differ_are_named(profile):
    own = profile.kinematics().forward(np.array(profile.start_joints_rad))
    place, turn = own.translation_m, rotation_of(own)
    for heard, wanted in (
        (own, []),
        (make_pose(1000 * place, turn), [Kind.TRANSFORM]),
        (make_pose(yaw(90) @ place, turn), [Kind.BASE_FRAME]),
        (make_pose(yaw(180) @ place, turn), [Kind.BASE_FRAME]),
        (make_pose(place, turn * Rotation.from_euler('y', 1.5)), [Kind.TOOL_FRAME]),
        (make_pose(place + [0, 0, 0.1], turn), [Kind.TRANSFORM]),
    ):
        assert kinds(diagnose_transform(own, heard, '/tf')) == wanted
    assert 'millimetres' in diagnose_transform(own, make_pose(1000 * place, turn), '/tf')[0].text
