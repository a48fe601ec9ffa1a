"""Arms as data: what the stack must know of an arm, from ``config/arms/<name>.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from magma_ros.data_types import MotionLimits
from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path, urdf_path
from magma_ros.robot.description import read_description
from magma_ros.robot.kinematics import Kinematics


@dataclass(frozen=True)
class ArmProfile:
    """One arm. Lengths in m, angles in rad; names as in its URDF."""

    name: str
    urdf: str  # file under urdf/
    base_link: str
    tip_link: str  # the tool centre point, Servo's tip
    joint_names: tuple[str, ...]
    gripper_joint: str
    finger_closed_m: float  # position of the gripper joint
    finger_open_m: float
    pad_thickness_m: float  # inner face of a pad to the finger joint's zero
    start_joints_rad: tuple[float, ...]  # a non-singular pose to begin and end at
    limits: MotionLimits
    singularity_slow: float  # condition numbers, see Kinematics.condition
    singularity_stop: float
    joint_margin_rad: float

    def urdf_text(self) -> str:
        """The expanded URDF."""
        return _expanded(self.urdf, self.name)

    def kinematics(self) -> Kinematics:
        """Kinematics from the base link to the tool centre point."""
        return Kinematics(self.urdf_text(), self.joint_names, self.tip_link)


@cache
def _expanded(urdf: str, robot_name: str) -> str:
    return read_description(urdf_path(urdf), {'robot_name': robot_name})


def load_arm_profile(name: str) -> ArmProfile:
    """Read ``config/arms/<name>.yaml``.

    Raises:
        ConfigurationError: no such profile, an unknown or missing key, or a value that makes no sense.
    """
    path = config_path(f'arms/{name}.yaml')
    try:
        values: dict[str, Any] = YAML(typ='safe').load(path.read_text())
    except YAMLError as error:
        raise ConfigurationError(f'{path} is not YAML: {error}') from error
    known = {field.name for field in fields(ArmProfile)}
    wrong = sorted(known.symmetric_difference(values))
    if wrong:
        raise ConfigurationError(
            f'{path}: unknown or missing keys {wrong}; the keys are {sorted(known)}'
        )
    limits = values['limits']
    unknown = sorted(set(limits) - {field.name for field in fields(MotionLimits)})
    if unknown:
        raise ConfigurationError(f'{path}: unknown limits {unknown}')
    values['limits'] = MotionLimits(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in limits.items()}
    )
    values['joint_names'] = tuple(values['joint_names'])
    values['start_joints_rad'] = tuple(values['start_joints_rad'])
    profile = ArmProfile(**values)
    if not 0 < profile.singularity_slow < profile.singularity_stop:
        raise ConfigurationError(f'{path}: singularity_slow must be below singularity_stop')
    if len(profile.start_joints_rad) != len(profile.joint_names):
        raise ConfigurationError(
            f'{path}: start_joints_rad needs {len(profile.joint_names)} values'
        )
    return profile
