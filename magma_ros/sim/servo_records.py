"""What goes into and comes out of the Servo stand-in; names and numbers are MoveIt Servo's.

Source: moveit_msgs/msg/ServoStatus, moveit_msgs/srv/ServoCommandType and the parameters of
moveit_servo 2.12 (Jazzy).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

import numpy as np

from magma_ros.data_types import FloatArray, Pose, Twist
from magma_ros.errors import ConfigurationError
from magma_ros.robot.kinematics import Kinematics

SmoothingName = Literal['acceleration_limited', 'butterworth', 'ruckig', 'none']


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


class CommandType(enum.IntEnum):
    """moveit_msgs/srv/ServoCommandType."""

    JOINT_JOG = 0
    TWIST = 1
    POSE = 2


@dataclass(frozen=True)
class JogCommand:
    """control_msgs/msg/JointJog; its displacements are ignored, as Servo does."""

    joint_names: tuple[str, ...]
    velocities: tuple[float, ...]  # rad/s, or share of joint_scale
    stamp_s: float


@dataclass(frozen=True)
class TwistCommand:
    """geometry_msgs/msg/TwistStamped; vectors in the axes of ``frame_id``."""

    twist: Twist
    frame_id: str
    stamp_s: float


@dataclass(frozen=True)
class PoseCommand:
    """geometry_msgs/msg/PoseStamped: where the tip link is to be."""

    pose: Pose
    frame_id: str
    stamp_s: float


Command = JogCommand | TwistCommand | PoseCommand
TYPE_OF_COMMAND = {
    JogCommand: CommandType.JOINT_JOG,
    TwistCommand: CommandType.TWIST,
    PoseCommand: CommandType.POSE,
}


@dataclass(frozen=True)
class JointPoint:
    """A point of a trajectory, on the clock of the stamps."""

    time_s: float
    positions_rad: FloatArray  # (dof,)
    velocities_rad_s: FloatArray  # (dof,)


@dataclass(frozen=True)
class ServoOutput:
    """One loop of Servo. Nothing is published without points, no status while paused."""

    status: ServoStatus | None
    points: tuple[JointPoint, ...] = ()


@dataclass(frozen=True)
class JointLimits:
    """Of each joint, shape (dof,). MoveIt takes the URDF's soft limits where there are some."""

    lower_rad: FloatArray
    upper_rad: FloatArray
    velocity_rad_s: FloatArray
    acceleration_rad_s2: FloatArray

    @staticmethod
    def of(kinematics: Kinematics, acceleration_rad_s2: float) -> JointLimits:
        """Those of the URDF, which has none for the acceleration."""
        return JointLimits(
            kinematics.lower_rad,
            kinematics.upper_rad,
            kinematics.velocity_rad_s,
            np.full(len(kinematics.joint_names), acceleration_rad_s2),
        )


@dataclass(frozen=True)
class ServoSettings:
    """Servo's parameters; the defaults suit the WidowX at 50 Hz.

    Raises:
        ConfigurationError: what Servo itself refuses at its start.
    """

    publish_period: float = 0.02  # s
    max_expected_latency: float = 0.06  # s, how far ahead points are stamped
    incoming_command_timeout: float = 0.1  # s
    command_in_type: Literal['speed_units', 'unitless'] = 'speed_units'
    scale_linear: float = 0.25  # m/s, cap of the norm; unitless: factor of each component
    scale_rotational: float = 1.0  # rad/s, likewise
    scale_joint: float = 0.5  # rad/s, factor of unitless jogs, without meaning in speed units
    smoothing: SmoothingName = 'acceleration_limited'
    butterworth_filter_coeff: float = 1.5
    joint_jerk: float = 300.0  # rad/s^3, for ruckig
    lower_singularity_threshold: float = 35.0
    hard_stop_singularity_threshold: float = 80.0
    leaving_singularity_threshold_multiplier: float = 2.0
    singularity_step_scale: float = 0.01
    joint_limit_margin: float = 0.1  # rad
    check_collisions: bool = True
    collision_check_rate: float = 10.0  # Hz
    self_collision_proximity_threshold: float = 0.01  # m
    scene_collision_proximity_threshold: float = 0.02  # m

    def __post_init__(self) -> None:
        """Check what Servo checks."""
        if self.max_expected_latency / 3 < self.publish_period - 1e-9:
            raise ConfigurationError(
                f'max_expected_latency {self.max_expected_latency} s must be at least three '
                f'times publish_period, {3 * self.publish_period} s'
            )
        if self.hard_stop_singularity_threshold <= self.lower_singularity_threshold:
            raise ConfigurationError(
                f'hard_stop_singularity_threshold {self.hard_stop_singularity_threshold} must be '
                f'above lower_singularity_threshold {self.lower_singularity_threshold}'
            )
        if self.scene_collision_proximity_threshold < self.self_collision_proximity_threshold:
            raise ConfigurationError(
                'scene_collision_proximity_threshold must not be below '
                f'self_collision_proximity_threshold {self.self_collision_proximity_threshold} m'
            )
