"""Puts the files of ``config/moveit`` together into the parameters of MoveIt's nodes.

``<file>.humble.yaml`` takes the place of ``<file>.yaml`` on Humble. The dictionaries go into a
launch file's Node, or as ``config_dict`` into MoveItPy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from magma_ros.errors import EnvironmentMissing
from magma_ros.resources import config_path, urdf_path
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.description import check_description, read_description

PIPELINES = {'ompl': 'ompl_planning', 'pilz_industrial_motion_planner': 'pilz_planning'}


def has_own_drivers(arm: str) -> bool:
    """Whether ros2_control and move_group are configured here, rather than by the vendor."""
    return (config_path('moveit') / arm / 'ros2_controllers.yaml').is_file()


def robot_description(profile: ArmProfile, hardware: str = 'none', robot_ip: str = '') -> str:
    """URDF text with whole-body collision shapes: the vendor's if installed, otherwise ours.

    Args:
        profile: of the arm.
        hardware: which ros2_control system it names: none, mock or real.
        robot_ip: of a real arm that is reached by network.

    Raises:
        ConfigurationError: the vendor's description disagrees with the profile.
    """
    path = vendor_file(profile.vendor_urdf)
    if path is not None:
        text = read_description(path)
        check_description(profile, text)
        return text
    arguments = {'robot_name': profile.name, 'collision': 'body', 'hardware': hardware}
    return read_description(urdf_path(profile.urdf), {**arguments, 'robot_ip': robot_ip})


def robot_semantics(profile: ArmProfile) -> str:
    """SRDF text.

    Raises:
        EnvironmentMissing: it is the vendor's, whose package is not installed.
    """
    if profile.srdf:
        path: Path | None = config_path(f'moveit/{profile.srdf}')
    else:
        path = vendor_file(profile.vendor_srdf)
    if path is None:
        package = profile.vendor_srdf.split('/')[0]
        raise EnvironmentMissing(
            f'{profile.name} needs the package {package}: install it, or source its workspace'
        )
    return read_description(path, {'robot_name': profile.name})


def servo_parameters(
    profile: ArmProfile, description: str, ros_distro: str, kinematics: str = 'kinematics'
) -> dict[str, Any]:
    """Parameters of ``servo_node``. Its ramps use the braking acceleration of the profile."""
    common = _robot(profile, description, ros_distro, kinematics)
    limits = common['robot_description_planning']['joint_limits']
    for name, brake in zip(profile.joint_names, profile.joint_brake_rad_s2, strict=True):
        limits[name]['max_acceleration'] = brake
    servo = _read(f'{profile.name}/servo', ros_distro)
    smoothing = {
        'update_period': servo['publish_period'],
        'planning_group_name': profile.planning_group,
    }
    return {**common, 'moveit_servo': servo, **smoothing}


def move_group_parameters(
    profile: ArmProfile, description: str, ros_distro: str, kinematics: str = 'kinematics'
) -> dict[str, Any]:
    """Parameters of ``move_group``, also for MoveItPy."""
    parameters = _robot(profile, description, ros_distro, kinematics)
    parameters['robot_description_planning'] |= _read(
        f'{profile.name}/pilz_cartesian_limits', ros_distro
    )
    pipelines = {name: _read(file, ros_distro) for name, file in PIPELINES.items()}
    names = list(PIPELINES)
    return {
        **parameters,
        **_read(f'{profile.name}/moveit_controllers', ros_distro),
        **pipelines,
        'planning_pipelines': names,
        'planning_pipelines.pipeline_names': names,  # where MoveItPy looks
        'default_planning_pipeline': names[0],
    }


def vendor_file(path: str) -> Path | None:
    """``package/path/in/share`` of a package that is installed, or None."""
    if not path:
        return None
    for prefix in filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)):
        file = Path(prefix) / 'share' / path
        if file.is_file():
            return file
    return None


def _robot(
    profile: ArmProfile, description: str, ros_distro: str, kinematics: str
) -> dict[str, Any]:
    return {
        'robot_description': description,
        'robot_description_semantic': robot_semantics(profile),
        'robot_description_kinematics': _read(f'{profile.name}/{kinematics}', ros_distro),
        'robot_description_planning': _read(f'{profile.name}/joint_limits', ros_distro),
    }


def _read(name: str, ros_distro: str) -> dict[str, Any]:
    directory = config_path('moveit')
    variant = directory / f'{name}.{ros_distro}.yaml'
    path = variant if variant.is_file() else config_path(f'moveit/{name}.yaml')
    return YAML(typ='safe').load(path.read_text())
