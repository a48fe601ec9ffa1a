"""What one period of a command means for the joints, and what slows it down.

Pure functions. Source: moveit_servo 2.12, src/utils/command.cpp and common.cpp.
"""

from __future__ import annotations

import numpy as np
import pinocchio

from magma_ros.data_types import FloatArray, Pose, Twist
from magma_ros.robot.kinematics import Kinematics
from magma_ros.sim.servo_ik import joints_near
from magma_ros.sim.servo_records import JogCommand, JointLimits, ServoSettings, ServoStatus

Step = tuple[ServoStatus, FloatArray]


def step_from_jog(
    command: JogCommand, joint_names: tuple[str, ...], settings: ServoSettings
) -> Step:
    """Joints by name; unknown names, other counts and numbers that are not finite are INVALID."""
    step = np.zeros(len(joint_names))
    same_length = len(command.joint_names) == len(command.velocities)
    if not same_length or not set(command.joint_names) <= set(joint_names):
        return ServoStatus.INVALID, step
    if not np.isfinite(command.velocities).all():
        return ServoStatus.INVALID, step
    for name, velocity in zip(command.joint_names, command.velocities, strict=True):
        step[joint_names.index(name)] = velocity * settings.publish_period
    return ServoStatus.NO_WARNING, step * _joint_factor(settings)


def step_from_twist(
    twist: Twist,
    frame: FloatArray,
    joints: FloatArray,
    kinematics: Kinematics,
    limits: JointLimits,
    settings: ServoSettings,
) -> Step:
    """A twist about the tip, along the axes of a frame whose rotation in the base is (3, 3)."""
    parts = np.array([twist.linear_m_s, twist.angular_rad_s])
    if not np.isfinite(parts).all():
        return ServoStatus.INVALID, np.zeros_like(joints)
    if np.abs(parts).max() < 1e-12:
        return ServoStatus.NO_WARNING, np.zeros_like(joints)
    linear, angular = parts @ frame.T
    if settings.command_in_type == 'unitless':
        linear, angular = linear * settings.scale_linear, angular * settings.scale_rotational
    else:
        linear = _capped(linear, settings.scale_linear)
        angular = _capped(angular, settings.scale_rotational)
    move = np.concatenate([linear, angular]) * settings.publish_period
    return _step_along(move, joints, kinematics, limits, settings)


def step_to_pose(
    pose: Pose,
    joints: FloatArray,
    kinematics: Kinematics,
    limits: JointLimits,
    settings: ServoSettings,
) -> Step:
    """Towards a pose of the tip in the base, no faster than the scales.

    The quaternion need not be of unit length; all zeros means no rotation at all, as for Servo.
    """
    if not np.isfinite([*pose.translation_m, *pose.quaternion_xyzw]).all():
        return ServoStatus.INVALID, np.zeros_like(joints)
    now = kinematics.matrix(joints)
    length = float(np.linalg.norm(pose.quaternion_xyzw))
    quaternion = pose.quaternion_xyzw / length if length > 0 else np.array([0.0, 0.0, 0.0, 1.0])
    goal = pinocchio.Quaternion(quaternion).toRotationMatrix()
    move = np.concatenate(
        [
            _capped(
                pose.translation_m - now[:3, 3], settings.scale_linear * settings.publish_period
            ),
            _capped(
                pinocchio.log3(goal @ now[:3, :3].T),
                settings.scale_rotational * settings.publish_period,
            ),
        ]
    )
    return _step_along(move, joints, kinematics, limits, settings)


def limit_velocities(step: FloatArray, limits: JointLimits, period_s: float) -> FloatArray:
    """The step, shortened as a whole until no joint is too fast."""
    return step / max(1.0, float(np.max(np.abs(step) / (limits.velocity_rad_s * period_s))))


def joints_at_bounds(
    joints: FloatArray, step: FloatArray, limits: JointLimits, margin_rad: float
) -> np.ndarray:
    """Which joints (dof,) would be within the margin of a bound and move outwards."""
    target = joints + step
    return ((step > 0) & (target > limits.upper_rad - margin_rad)) | (
        (step < 0) & (target < limits.lower_rad + margin_rad)
    )


def _step_along(
    move: FloatArray,
    joints: FloatArray,
    kinematics: Kinematics,
    limits: JointLimits,
    settings: ServoSettings,
) -> Step:
    """Displacement (6,) of the tip in base axes -> step of the joints."""
    goal = kinematics.matrix(joints)
    goal[:3, 3] += move[:3]
    goal[:3, :3] = pinocchio.exp3(move[3:]) @ goal[:3, :3]
    step = joints_near(kinematics, limits, joints, goal) - joints
    status, share = singularity_share(move, joints, kinematics, settings)
    return status, step * share


def singularity_share(
    move: FloatArray, joints: FloatArray, kinematics: Kinematics, settings: ServoSettings
) -> tuple[ServoStatus, float]:
    """Share (0..1) of the speed that is left near a singularity, by the condition number.

    Servo tells approaching from leaving by a probing step along the weakest direction. At the hard
    stop it lets no direction pass; leaving makes a difference below it only.
    """
    left, values, right = np.linalg.svd(kinematics.jacobian(joints), full_matrices=False)
    condition = values[0] / max(values[-1], 1e-12)
    lower = settings.lower_singularity_threshold
    stop = settings.hard_stop_singularity_threshold
    if condition >= stop:
        return ServoStatus.HALT_FOR_SINGULARITY, 0.0
    if condition <= lower:
        return ServoStatus.NO_WARNING, 1.0
    probe = right[-1] * settings.singularity_step_scale / max(values[-1], 1e-12)
    is_worse_ahead = kinematics.condition(joints + probe) > condition
    towards = left[:, -1] if is_worse_ahead else -left[:, -1]
    if towards @ move > 0:
        share = 1.0 - (condition - lower) / (stop - lower)
        return ServoStatus.DECELERATE_FOR_APPROACHING_SINGULARITY, share
    room = (stop - lower) * settings.leaving_singularity_threshold_multiplier
    return ServoStatus.DECELERATE_FOR_LEAVING_SINGULARITY, 1.0 - (condition - lower) / room


def _joint_factor(settings: ServoSettings) -> float:
    return settings.scale_joint if settings.command_in_type == 'unitless' else 1.0


def _capped(vector: FloatArray, most: float) -> FloatArray:
    norm = float(np.linalg.norm(vector))
    return vector if norm <= most else vector * (most / norm)
