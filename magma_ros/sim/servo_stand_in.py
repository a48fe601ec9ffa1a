"""Stands where MoveIt Servo is not installed: twists in, joint trajectory points out.

Twist commands, stamp timeout, singularity and joint-limit scaling. Pure; a node gives it topics.
Names and codes follow moveit_msgs/ServoStatus (Jazzy).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray, Twist
from magma_ros.robot.kinematics import Kinematics


class ServoStatus(enum.IntEnum):
    """moveit_msgs/msg/ServoStatus."""

    INVALID = -1
    NO_WARNING = 0
    DECELERATE_FOR_APPROACHING_SINGULARITY = 1
    HALT_FOR_SINGULARITY = 2
    DECELERATE_FOR_LEAVING_SINGULARITY = 3
    DECELERATE_FOR_COLLISION = 4
    HALT_FOR_COLLISION = 5
    JOINT_BOUND = 6


@dataclass(frozen=True)
class ServoSettings:
    """Servo's parameters, by Servo's names."""

    publish_period: float = 0.02  # s
    incoming_command_timeout: float = 0.1  # s
    linear_scale: float = 0.25  # m/s, cap of the norm
    rotational_scale: float = 1.0  # rad/s, cap of the norm
    lower_singularity_threshold: float = 35.0
    hard_stop_singularity_threshold: float = 80.0
    joint_limit_margin: float = 0.1  # rad
    joint_acceleration: float = 5.0  # rad/s^2, a ramp like the AccelerationLimited plugin's


@dataclass(frozen=True)
class ServoOutput:
    """One loop of Servo: joint positions and velocities, None when it publishes nothing."""

    status: ServoStatus
    positions_rad: FloatArray | None
    velocities_rad_s: FloatArray | None


class ServoStandIn:
    """Integrates twists into joint positions, starting from the measured ones."""

    def __init__(self, kinematics: Kinematics, settings: ServoSettings) -> None:
        self._kinematics, self._settings = kinematics, settings
        self._joints: FloatArray | None = None  # None while it follows the measured state
        self._speed = np.zeros(len(kinematics.joint_names))

    def reset(self) -> None:
        """Forget the motion; the next command starts from the measured joints."""
        self._joints = None
        self._speed = np.zeros_like(self._speed)

    def step(self, twist: Twist | None, age_s: float, measured_rad: FloatArray) -> ServoOutput:
        """One loop.

        Args:
            twist: newest command in base axes, None when none came yet.
            age_s: now minus its stamp; at ``incoming_command_timeout`` the arm is halted smoothly.
            measured_rad: joint positions the arm reports, (dof,).

        A command that is not finite is refused: nothing is published, and the motion begins anew.
        """
        settings = self._settings
        wish = twist if age_s < settings.incoming_command_timeout else None
        if wish is not None and not np.isfinite([*wish.linear_m_s, *wish.angular_rad_s]).all():
            self.reset()
            return ServoOutput(ServoStatus.INVALID, None, None)
        if self._joints is None:
            if wish is None:
                return ServoOutput(ServoStatus.NO_WARNING, None, None)
            self._joints = measured_rad.copy()
        status, goal_speed = ServoStatus.NO_WARNING, np.zeros_like(self._speed)
        if wish is not None:
            status, goal_speed = self._joint_speed(wish, self._joints)
        most = settings.joint_acceleration * settings.publish_period
        self._speed = self._speed + np.clip(goal_speed - self._speed, -most, most)
        self._joints = np.clip(
            self._joints + self._speed * settings.publish_period,
            self._kinematics.lower_rad,
            self._kinematics.upper_rad,
        )
        output = ServoOutput(status, self._joints.copy(), self._speed.copy())
        if wish is None and np.abs(self._speed).max() < 1e-4:
            self.reset()
        return output

    def _joint_speed(self, twist: Twist, joints: FloatArray) -> tuple[ServoStatus, FloatArray]:
        settings = self._settings
        wish = np.concatenate(
            [
                _capped(twist.linear_m_s, settings.linear_scale),
                _capped(twist.angular_rad_s, settings.rotational_scale),
            ]
        )
        jacobian = self._kinematics.jacobian(joints)
        left, values, right = np.linalg.svd(jacobian)
        speed = right.T[:, : len(values)] @ ((left.T @ wish) * values / (values**2 + 1e-6))
        status, scale = self._singularity_scale(
            joints, speed, float(values[0] / max(values[-1], 1e-12))
        )
        speed = speed * scale
        speed = speed / max(1.0, float(np.max(np.abs(speed) / self._kinematics.velocity_rad_s)))
        outward = (
            (joints > self._kinematics.upper_rad - settings.joint_limit_margin) & (speed > 0)
        ) | ((joints < self._kinematics.lower_rad + settings.joint_limit_margin) & (speed < 0))
        if outward.any():
            return ServoStatus.JOINT_BOUND, np.zeros_like(speed)
        return status, speed

    def _singularity_scale(
        self, joints: FloatArray, speed: FloatArray, condition: float
    ) -> tuple[ServoStatus, float]:
        settings = self._settings
        lower, stop = (
            settings.lower_singularity_threshold,
            settings.hard_stop_singularity_threshold,
        )
        if condition <= lower:
            return ServoStatus.NO_WARNING, 1.0
        ahead = self._kinematics.condition(
            joints + 0.01 * speed / max(float(np.abs(speed).max()), 1e-9)
        )
        if ahead < condition and condition < stop:
            return ServoStatus.DECELERATE_FOR_LEAVING_SINGULARITY, 1.0
        if condition >= stop:
            return ServoStatus.HALT_FOR_SINGULARITY, 0.0
        scale = 1.0 - (condition - lower) / (stop - lower)
        return ServoStatus.DECELERATE_FOR_APPROACHING_SINGULARITY, scale


def _capped(vector: FloatArray, most: float) -> FloatArray:
    norm = float(np.linalg.norm(vector))
    return vector if norm <= most else vector * (most / norm)
