"""A stand-in with the parameters MoveIt's own servo_node would get."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.kinematics import Kinematics
from magma_ros.robot.moveit_parameters import robot_description, servo_parameters
from magma_ros.sim.servo_collision import ArmBodies, CollisionMonitor, Obstacle
from magma_ros.sim.servo_records import JointLimits, ServoSettings, SmoothingName
from magma_ros.sim.servo_stand_in import ServoStandIn

SMOOTHING_PLUGINS: dict[str, SmoothingName] = {
    'online_signal_smoothing::AccelerationLimitedPlugin': 'acceleration_limited',
    'online_signal_smoothing::ButterworthFilterPlugin': 'butterworth',
    'online_signal_smoothing::RuckigFilterPlugin': 'ruckig',
}
SAME_NAME = (
    'publish_period',
    'max_expected_latency',
    'incoming_command_timeout',
    'command_in_type',
    'lower_singularity_threshold',
    'hard_stop_singularity_threshold',
    'leaving_singularity_threshold_multiplier',
    'check_collisions',
    'collision_check_rate',
    'self_collision_proximity_threshold',
    'scene_collision_proximity_threshold',
)


def make_stand_in(profile: ArmProfile, obstacles: Iterable[Obstacle] = ()) -> ServoStandIn:
    """A stand-in for this arm, as ``config/moveit/<arm>`` says.

    Args:
        profile: of the arm.
        obstacles: what stands around it, in the base frame.

    Raises:
        ConfigurationError: a value Servo would refuse.
        EnvironmentMissing: the SRDF is the vendor's, whose package is not installed.
    """
    urdf = robot_description(profile)
    parameters = servo_parameters(profile, urdf, 'jazzy')
    planned = parameters['robot_description_planning']['joint_limits']
    own = [planned[name] for name in profile.joint_names]
    # Servo turns about the tip of the planning group; our tool axes are of no concern to it.
    kinematics = Kinematics(urdf, profile.joint_names, profile.tip_link)
    limits = JointLimits(
        kinematics.lower_rad,
        kinematics.upper_rad,
        np.array([joint['max_velocity'] for joint in own]),
        np.array([joint['max_acceleration'] for joint in own]),
    )
    bodies = ArmBodies(
        urdf,
        parameters['robot_description_semantic'],
        profile.joint_names,
        (profile.base_link,),
    )
    settings = read_settings(parameters['moveit_servo'])
    return ServoStandIn(kinematics, settings, limits, CollisionMonitor(bodies, obstacles))


def read_settings(servo: dict[str, Any]) -> ServoSettings:
    """Servo's parameters (Jazzy and later) as settings of the stand-in.

    Raises:
        ConfigurationError: a parameter is missing, unknown here, or refused.
    """
    plugin = str(servo.get('smoothing_filter_plugin_name'))
    if servo.get('use_smoothing', True) and plugin not in SMOOTHING_PLUGINS:
        raise ConfigurationError(
            f'smoothing_filter_plugin_name is {plugin}; it must be one of '
            f'{sorted(SMOOTHING_PLUGINS)}'
        )
    try:
        scale = servo['scale']
        return ServoSettings(
            **{name: servo[name] for name in SAME_NAME},
            scale_linear=scale['linear'],
            scale_rotational=scale['rotational'],
            scale_joint=scale['joint'],
            smoothing=SMOOTHING_PLUGINS[plugin] if servo.get('use_smoothing', True) else 'none',
            joint_limit_margin=servo['joint_limit_margins'][0],
        )
    except KeyError as error:
        raise ConfigurationError(f'Servo parameter {error} is missing in servo.yaml') from error
