"""Reads arm descriptions (URDF, SRDF, xacro), and compares an arm profile with one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import xacro

from magma_ros.errors import ConfigurationError
from magma_ros.robot.kinematics import Kinematics

if TYPE_CHECKING:
    from magma_ros.robot.arm_profile import ArmProfile

TOLERANCE = 1e-3  # rad, m or rad/s between profile and URDF


def read_description(path: Path, arguments: dict[str, str] | None = None) -> str:
    """Text of a URDF or SRDF file, or of its xacro with arguments filled in.

    Raises:
        ConfigurationError: the file is missing or does not expand.
    """
    if not path.is_file():
        raise ConfigurationError(
            f'arm description {path} does not exist: check "urdf" in the arm profile'
        )
    try:
        return xacro.process_file(str(path), mappings=arguments or {}).toxml()
    except xacro.XacroException as error:
        raise ConfigurationError(f'arm description {path} does not expand: {error}') from error


def check_description(profile: ArmProfile, urdf: str) -> None:
    """The profile says of links, joints, limits and fingers what the URDF says.

    Args:
        profile: of this arm.
        urdf: URDF text: our own, the vendor's, or what ``/robot_description`` of a driver holds.

    Raises:
        ConfigurationError: names every disagreement together with the URDF's value.
    """
    chain = Kinematics(urdf, profile.joint_names, profile.tip_link)  # joints and tip exist
    wrong = list(_disagreements(profile, chain, ElementTree.fromstring(urdf)))
    if wrong:
        raise ConfigurationError('; '.join(wrong))


def _disagreements(
    profile: ArmProfile, chain: Kinematics, robot: ElementTree.Element
) -> Iterator[str]:
    links = [link.get('name') for link in robot.iterfind('link')]
    if profile.base_link not in links:
        yield f'link "{profile.base_link}" (base_link) is not in the URDF; it has {links}'
    for key, actual in (
        ('joint_lower_rad', chain.lower_rad),
        ('joint_upper_rad', chain.upper_rad),
        ('joint_velocity_rad_s', chain.velocity_rad_s),
    ):
        said = np.array(getattr(profile, key))
        if np.abs(said - actual).max() > TOLERANCE:
            yield f'{key} is {said.tolist()}; the URDF says {actual.round(5).tolist()}'
    fingers = {
        str(joint.get('name')): joint.find('limit')
        for joint in robot.iterfind('joint')
        if joint.get('type') == 'prismatic'
    }
    limit = fingers.get(profile.gripper_joint)
    if limit is None:
        yield f'gripper_joint "{profile.gripper_joint}" is not one of {sorted(fingers)}'
        return
    low, high = float(limit.get('lower', 0)), float(limit.get('upper', 0))
    for key in ('finger_closed_m', 'finger_open_m'):
        if not low - TOLERANCE <= getattr(profile, key) <= high + TOLERANCE:
            yield f'{key} is {getattr(profile, key)}; the URDF allows {low} to {high}'
