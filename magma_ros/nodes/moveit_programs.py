"""MoveIt's nodes, and ros2_control's where they are configured here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from magma_ros.nodes.node_program import NodeProgram
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.moveit_parameters import (
    has_own_drivers,
    move_group_parameters,
    robot_description,
    servo_parameters,
)

PUBLISHES_JOINTS = ('wx250s',)  # the driver of the real arm does, so no broadcaster is needed


@dataclass(frozen=True)
class Bringup:
    """What ``bringup.launch.py`` is asked for.

    ``servo`` is moveit or stand_in; ``hardware`` is mock or real, for arms without ``sim``;
    ``camera`` is realsense (its ROS driver), direct (without it), none, or a source of
    ``camera_node``; ``calibration`` is a file of ``magma calibrate solve``.
    """

    arm: str
    overlay: str = ''
    model: str = ''
    sim: bool = False
    camera: str = 'realsense'
    calibration: str = ''
    servo: str = 'moveit'
    hardware: str = 'real'
    robot_ip: str = ''
    kinematics: str = 'kinematics'
    ros_distro: str = field(default_factory=lambda: os.environ.get('ROS_DISTRO', ''))


def moveit_programs(wanted: Bringup, profile: ArmProfile) -> list[NodeProgram]:
    """Servo; move_group and ros2_control too, unless the vendor's launch files start those."""
    text = robot_description(profile, 'none' if wanted.sim else wanted.hardware, wanted.robot_ip)
    settings = (profile, text, wanted.ros_distro, wanted.kinematics)
    joint_states = (('joint_states', profile.joint_states_topic),)
    servo = NodeProgram(
        'servo_node',
        package='moveit_servo',
        executable='servo_node_main' if wanted.ros_distro == 'humble' else 'servo_node',
        parameters=servo_parameters(*settings),
    )
    if not has_own_drivers(profile.name):
        return [servo]
    move_group = NodeProgram(
        'move_group',
        package='moveit_ros_move_group',
        parameters=move_group_parameters(*settings),
        remappings=joint_states,
    )
    drivers = [] if wanted.sim else _drivers(wanted, profile, text)
    return [*drivers, move_group, servo]


def _drivers(wanted: Bringup, profile: ArmProfile, description: str) -> list[NodeProgram]:
    # /wx250s/arm_controller/joint_trajectory: a namespace, which may be empty, and a controller
    namespace, controller = profile.trajectory_topic.removesuffix('/joint_trajectory').rsplit(
        '/', 1
    )
    spawned = [controller]
    if profile.gripper_interface != 'franka':
        spawned.append(profile.gripper_name.split('/')[-2])
    if wanted.hardware == 'mock' or profile.name not in PUBLISHES_JOINTS:
        spawned.append('joint_state_broadcaster')
    is_humble = wanted.ros_distro == 'humble'  # later ones read the topic of the state publisher
    return [
        NodeProgram(
            'robot_state_publisher',
            package='robot_state_publisher',
            namespace=namespace,
            parameters={'robot_description': description},
            remappings=(('joint_states', profile.joint_states_topic),),
        ),
        NodeProgram(
            'controller_manager',
            controller_files(profile.name, wanted.hardware, wanted.ros_distro),
            package='controller_manager',
            executable='ros2_control_node',
            namespace=namespace,
            parameters={'robot_description': description} if is_humble else {},
            remappings=(('~/robot_description', f'{namespace}/robot_description'),),
        ),
        NodeProgram(
            'controller_spawner',
            package='controller_manager',
            executable='spawner',
            namespace=namespace,
            arguments=(*spawned, '--controller-manager', f'{namespace}/controller_manager'),
        ),
    ]


def controller_files(arm: str, hardware: str, ros_distro: str) -> tuple[str, ...]:
    """Parameter files of ros2_control under config/: the common one, then what differs."""
    names = [
        f'moveit/{arm}/ros2_controllers{kind}.yaml'
        for kind in ('', f'.{ros_distro}', f'.{hardware}')
    ]
    directory = config_path('moveit').parent
    return tuple(name for name in names if (directory / name).is_file())
