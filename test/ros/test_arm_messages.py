import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from tf2_msgs.msg import TFMessage  # noqa: E402
from trajectory_msgs.msg import JointTrajectory  # noqa: E402

from magma_ros.data_types import Pose, Twist  # noqa: E402
from magma_ros.errors import ArmError, CameraError  # noqa: E402
from magma_ros.robot.arm_profile import load_arm_profile  # noqa: E402
from magma_ros.robot.joint_reading import opening_from_finger
from magma_ros.ros.arm_messages import (  # noqa: E402
    arm_state_from_message,
    finger_from_opening,
    joint_state_message,
    joints_from_message,
    trajectory_columns,
    transform_to_message,
    twist_from_message,
    twist_to_message,
)
from magma_ros.ros.static_transforms import StaticTransforms  # noqa: E402

pytestmark = pytest.mark.ros
PROFILE = load_arm_profile('wx250s')
NAMES = (*PROFILE.joint_names, PROFILE.gripper_joint)


def joint_states(joints, finger_m=0.026):
    positions = np.append(joints, finger_m)
    return joint_state_message(NAMES, positions, 0.1 * positions, 123)


def test_joints_are_found_by_name():
    shuffled = joint_states(np.arange(6.0))
    order = [3, 6, 0, 5, 1, 2, 4]
    shuffled.name = [NAMES[place] for place in order]
    shuffled.position = [float(place) for place in order]
    shuffled.velocity = []

    positions, velocities = joints_from_message(shuffled, PROFILE.joint_names)

    np.testing.assert_array_equal(positions, np.arange(6.0))
    assert np.isnan(velocities).all()


def test_missing_joints_are_named():
    message = joint_states(np.zeros(6))
    message.name[1], message.name[4] = 'panda_joint2', 'panda_joint5'

    with pytest.raises(ArmError, match=r"lack \['shoulder', 'wrist_angle'\]"):
        joints_from_message(message, PROFILE.joint_names)


def test_arm_state_has_forward_kinematics():
    kinematics = PROFILE.kinematics()
    joints = np.array(PROFILE.start_joints_rad)

    state = arm_state_from_message(joint_states(joints), PROFILE, kinematics)

    expected = kinematics.forward(joints).translation_m
    np.testing.assert_allclose(state.pose_gripper_in_base.translation_m, expected)
    assert state.gripper_opening == pytest.approx(0.5)
    assert state.stamp_ns == 123


def test_joints_that_are_not_finite_are_passed_on():
    joints = np.array([0.0, math.nan, 0.0, 0.0, 0.0, 0.0])

    state = arm_state_from_message(joint_states(joints), PROFILE, PROFILE.kinematics())

    assert np.isnan(state.pose_gripper_in_base.translation_m).all()


@pytest.mark.parametrize('opening', [0.0, 0.3, 1.0])
def test_gripper_round_trip(opening):
    finger_m = finger_from_opening(opening, PROFILE)

    assert PROFILE.finger_closed_m <= finger_m <= PROFILE.finger_open_m
    assert opening_from_finger(finger_m, PROFILE) == pytest.approx(opening)


def test_twist_round_trip():
    twist = Twist(np.array([0.1, -0.2, 0.3]), np.array([1.0, 2.0, math.nan]))

    message = twist_to_message(twist, 5, 'base')
    copy = twist_from_message(message)

    np.testing.assert_array_equal(copy.linear_m_s, twist.linear_m_s)
    np.testing.assert_array_equal(copy.angular_rad_s, twist.angular_rad_s)
    assert (message.header.frame_id, message.header.stamp.nanosec) == ('base', 5)


def test_trajectory_for_another_arm_is_refused():
    message = JointTrajectory(joint_names=['b', 'a'])

    assert trajectory_columns(message, ('a', 'b')) == [1, 0]
    with pytest.raises(ArmError, match='waist'):
        trajectory_columns(message, PROFILE.joint_names)


def test_chain_of_static_transforms():
    quarter = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    transforms = StaticTransforms()
    camera = transform_to_message(
        Pose(np.array([1.0, 0, 0]), np.array([0, 0, 0, 1.0])), 'mount', 'camera', 0
    )
    mount = transform_to_message(Pose(np.array([0, 0, 2.0]), quarter), 'base', 'mount', 0)
    transforms.add(TFMessage(transforms=[camera]))

    with pytest.raises(CameraError, match='the chain ends at mount'):
        transforms.pose('camera', 'base')
    transforms.add(TFMessage(transforms=[mount]))

    pose = transforms.pose('camera', 'base')
    np.testing.assert_allclose(pose.translation_m, [0.0, 1.0, 2.0], atol=1e-12)
    np.testing.assert_allclose(pose.quaternion_xyzw, quarter)


def test_circular_transforms_end():
    transforms = StaticTransforms()
    here = Pose(np.zeros(3), np.array([0, 0, 0, 1.0]))
    transforms.add(
        TFMessage(
            transforms=[
                transform_to_message(here, 'a', 'b', 0),
                transform_to_message(here, 'b', 'a', 0),
            ]
        )
    )

    with pytest.raises(CameraError, match='no fixed transform'):
        transforms.pose('a', 'base')
