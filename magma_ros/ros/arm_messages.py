"""Between joint states, twists, trajectories, transforms and our arm types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import PoseStamped, TransformStamped, TwistStamped
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import ArmState, FloatArray, Pose, Twist
from magma_ros.errors import ArmError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.joint_reading import pick_joints, read_arm_state
from magma_ros.robot.kinematics import Kinematics
from magma_ros.ros.time_stamps import stamp_from_ns, stamp_to_ns


def joints_from_message(
    message: JointState, joint_names: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities in the order of ``joint_names``; velocities NaN if not reported.

    Raises:
        ArmError: a joint is missing, or names and positions differ in number.
    """
    return pick_joints(message.name, message.position, message.velocity, joint_names)


def arm_state_from_message(
    message: JointState, profile: ArmProfile, kinematics: Kinematics
) -> ArmState:
    """What the arm reported, and its forward kinematics; not finite joints give a NaN pose.

    Raises:
        ArmError: a joint of the profile is missing.
    """
    stamp_ns = stamp_to_ns(message.header.stamp)
    return read_arm_state(
        message.name, message.position, message.velocity, stamp_ns, profile, kinematics
    )


def finger_from_opening(opening: float, profile: ArmProfile) -> float:
    """Opening 0..1 -> position of the gripper joint (m)."""
    return profile.finger_closed_m + opening * (profile.finger_open_m - profile.finger_closed_m)


def joint_state_message(
    names: Sequence[str], positions: FloatArray, velocities: FloatArray, stamp_ns: int
) -> JointState:
    """Encoder readings."""
    message = JointState(
        name=list(names), position=positions.tolist(), velocity=velocities.tolist(), effort=[]
    )
    message.header.stamp = stamp_from_ns(stamp_ns)
    return message


def twist_to_message(twist: Twist, stamp_ns: int, frame_id: str) -> TwistStamped:
    """A twist in the axes of ``frame_id``."""
    message = TwistStamped()
    message.header.stamp = stamp_from_ns(stamp_ns)
    message.header.frame_id = frame_id
    linear, angular = message.twist.linear, message.twist.angular
    linear.x, linear.y, linear.z = twist.linear_m_s.tolist()
    angular.x, angular.y, angular.z = twist.angular_rad_s.tolist()
    return message


def twist_from_message(message: TwistStamped) -> Twist:
    """A twist in the axes of the message's frame."""
    linear, angular = message.twist.linear, message.twist.angular
    return Twist(
        np.array([linear.x, linear.y, linear.z]), np.array([angular.x, angular.y, angular.z])
    )


def pose_to_message(pose: Pose, stamp_ns: int, frame_id: str) -> PoseStamped:
    """A pose in ``frame_id``."""
    message = PoseStamped()
    message.header.stamp = stamp_from_ns(stamp_ns)
    message.header.frame_id = frame_id
    place, turn = message.pose.position, message.pose.orientation
    place.x, place.y, place.z = pose.translation_m.tolist()
    turn.x, turn.y, turn.z, turn.w = pose.quaternion_xyzw.tolist()
    return message


def transform_to_message(pose: Pose, parent: str, child: str, stamp_ns: int) -> TransformStamped:
    """``pose`` is that of the child frame in the parent frame."""
    message = TransformStamped(child_frame_id=child)
    message.header.stamp = stamp_from_ns(stamp_ns)
    message.header.frame_id = parent
    shift, turn = message.transform.translation, message.transform.rotation
    shift.x, shift.y, shift.z = pose.translation_m.tolist()
    turn.x, turn.y, turn.z, turn.w = pose.quaternion_xyzw.tolist()
    return message


def transform_from_message(message: TransformStamped) -> Pose:
    """Pose of the child frame in the parent frame."""
    shift, turn = message.transform.translation, message.transform.rotation
    return Pose(np.array([shift.x, shift.y, shift.z]), np.array([turn.x, turn.y, turn.z, turn.w]))


def trajectory_columns(message: JointTrajectory, joint_names: Sequence[str]) -> list[int]:
    """Where each of our joints is in the points of a trajectory.

    Raises:
        ArmError: the trajectory is for other joints.
    """
    if sorted(message.joint_names) != sorted(joint_names):
        raise ArmError(
            f'trajectory for {list(message.joint_names)}, but the arm has {list(joint_names)}'
        )
    return [list(message.joint_names).index(name) for name in joint_names]
