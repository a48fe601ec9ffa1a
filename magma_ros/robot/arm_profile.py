"""Arms as data: what the stack must know of an arm, from ``config/arms/<name>.yaml``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
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
        ConfigurationError: no such profile, an unknown or missing key, or a value that makes no
            sense.
    """
    path = config_path(f'arms/{name}.yaml')
    try:
        values: Any = YAML(typ='safe').load(path.read_text())
    except YAMLError as error:
        raise ConfigurationError(f'{path} is not YAML: {error}') from error
    _check_keys(values, ArmProfile, str(path), all_needed=True)
    _check_keys(values['limits'], MotionLimits, f'{path}: limits', all_needed=False)
    limits: dict[str, Any] = {key: _frozen(value) for key, value in values['limits'].items()}
    values = {key: _frozen(value) for key, value in values.items()}
    profile = ArmProfile(**{**values, 'limits': MotionLimits(**limits)})
    for complaint in _complaints(profile):
        raise ConfigurationError(f'{path}: {complaint}')
    return profile


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_keys(values: Any, kind: type, where: str, all_needed: bool) -> None:
    known = {field.name for field in fields(kind)}
    if not isinstance(values, dict):
        raise ConfigurationError(f'{where} must be a table with the keys {sorted(known)}')
    wrong = set(values) ^ known if all_needed else set(values) - known
    if wrong:
        raise ConfigurationError(
            f'{where}: unknown or missing keys {sorted(map(str, wrong))}; '
            f'the keys are {sorted(known)}'
        )


def _complaints(profile: ArmProfile) -> Iterator[str]:
    """What makes no sense, and what would."""
    limits = asdict(profile.limits)
    box = (limits.pop('box_min_m'), limits.pop('box_max_m'))
    for name, value in limits.items():
        if not (_is_number(value) and value > 0):
            yield f'limit {name} is {value!r}; it must be a number above 0'
    for corner in box:
        if not (isinstance(corner, tuple) and len(corner) == 3 and all(map(_is_number, corner))):
            yield f'box corner {corner!r} must be three numbers (m)'
    if not all(low < high for low, high in zip(*box, strict=True)):
        yield f'box_min_m {box[0]} must be below box_max_m {box[1]} on each axis'
    numbers = [
        *(profile.finger_closed_m, profile.finger_open_m, profile.pad_thickness_m),
        *(profile.singularity_slow, profile.singularity_stop, profile.joint_margin_rad),
        *profile.start_joints_rad,
    ]
    if not all(map(_is_number, numbers)):
        yield 'fingers, singularity, joint_margin_rad and start_joints_rad must be numbers'
    if not 0 < profile.singularity_slow < profile.singularity_stop:
        yield 'singularity_slow must be above 0 and below singularity_stop'
    if not profile.finger_closed_m < profile.finger_open_m:
        yield 'finger_closed_m must be below finger_open_m'
    if len(profile.start_joints_rad) != len(profile.joint_names):
        yield f'start_joints_rad needs {len(profile.joint_names)} values, one for each joint'


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
