"""Arms as data: what the stack must know of an arm, from ``config/arms/<name>.yaml``.

An *overlay* is a file of your own that names such a profile (``profile: wx250s``) and changes some
of its values, as the box of your table; wherever an arm is asked for, its path may stand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from scipy.spatial.transform import Rotation

from magma_ros.data_types import MotionLimits, Reference
from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path, urdf_path
from magma_ros.robot.description import check_description, read_description
from magma_ros.robot.kinematics import Kinematics
from magma_ros.robot.profile_checks import complaints
from magma_ros.yaml_tables import check_keys, load_yaml

OPTIONAL = {'box_recorded'}


@dataclass(frozen=True)
class ArmProfile:
    """One arm. Lengths in m, angles in rad; names as in its URDF; lists in the order of joints.

    A path ``package/path/in/share`` names a file of a vendor's package; '' says there is none.
    """

    name: str
    urdf: str  # our own description, a file under urdf/
    srdf: str  # a file under config/moveit/; '': vendor_srdf
    vendor_urdf: str  # takes the place of ours in MoveIt where the vendor's package is installed
    vendor_srdf: str
    base_link: str
    tip_link: str  # the tool centre point: tip of the planning group, so Servo turns about it
    tool_rpy_rad: tuple[float, ...]  # from the tip's axes to ours: x approaches, y opens
    planning_group: str  # in the SRDF
    joint_names: tuple[str, ...]
    joint_lower_rad: tuple[float, ...]  # of the hardware, compared with the URDF at start
    joint_upper_rad: tuple[float, ...]
    joint_velocity_rad_s: tuple[float, ...]
    joint_speed_rad_s: tuple[float, ...]  # the envelope: what we use of it
    joint_acceleration_rad_s2: tuple[float, ...]  # of planned motion
    joint_brake_rad_s2: tuple[float, ...]  # Servo's ramps
    joint_margin_rad: float  # kept from every limit
    start_joints_rad: tuple[float, ...]  # a non-singular pose to begin and end at
    singularity_slow: float  # condition numbers, see Kinematics.condition
    singularity_stop: float
    tracking_m: float  # commanded and measured pose this far apart for tracking_s: a fault
    tracking_rad: float
    tracking_s: float
    gripper_joint: str
    finger_closed_m: float  # positions of the gripper joint: their order is its polarity
    finger_open_m: float
    pad_thickness_m: float  # inner face of a pad to the finger joint's zero
    gripper_interface: str  # see GRIPPER_INTERFACES
    gripper_name: str  # of the action, or what franka's actions have in common
    joint_states_topic: str
    trajectory_topic: str  # of the arm's joint trajectory controller
    trajectory_action: str
    delta_reference: Reference  # what a delta is relative to in the data this arm is known from
    limits: MotionLimits
    box_recorded: bool = False  # the box of the limits is that of this very table

    def urdf_text(self) -> str:
        """Our own description, expanded."""
        return _expanded(self.urdf, self.name)

    def kinematics(self) -> Kinematics:
        """Kinematics from the base link to the tool centre point."""
        tool = Rotation.from_euler('xyz', self.tool_rpy_rad)
        return Kinematics(self.urdf_text(), self.joint_names, self.tip_link, tool)


@cache
def _expanded(urdf: str, robot_name: str) -> str:
    return read_description(urdf_path(urdf), {'robot_name': robot_name})


def load_arm_profile(name: str) -> ArmProfile:
    """Read ``config/arms/<name>.yaml``, or an overlay by its path, and compare with the URDF.

    Raises:
        ConfigurationError: no such profile, an unknown or missing key, a value that makes no
            sense, or one that differs from the URDF by more than 1e-3; the message lists what is
            valid.
    """
    is_overlay = name.endswith('.yaml')
    path = Path(name) if is_overlay else config_path(f'arms/{name}.yaml')
    values = _read_overlay(path) if is_overlay else _read_profile(path)
    limits: dict[str, Any] = {key: _frozen(value) for key, value in values['limits'].items()}
    values = {key: _frozen(value) for key, value in values.items()}
    profile = ArmProfile(**{**values, 'limits': MotionLimits(**limits)})
    wrong = list(complaints(profile))
    if wrong:
        raise ConfigurationError(f'{path}: {"; ".join(wrong)}')
    try:
        check_description(profile, profile.urdf_text())
    except ConfigurationError as error:
        raise ConfigurationError(f'{path} and {profile.urdf}: {error}') from error
    return profile


def _read_profile(path: Path) -> dict[str, Any]:
    values = load_yaml(path)
    known = _names(ArmProfile)
    check_keys(values, known, str(path), required=set(known) - OPTIONAL)
    check_keys(values['limits'], _names(MotionLimits), f'{path}: limits')
    return values


def _read_overlay(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigurationError(f'arm overlay {path} does not exist; record one, or name an arm')
    values = load_yaml(path)
    changeable = set(_names(ArmProfile)) - {'name'}
    check_keys(values, {'profile', *changeable}, str(path), required=('profile',))
    limits = values.get('limits', {})
    check_keys(limits, _names(MotionLimits), f'{path}: limits')
    profile = _read_profile(config_path(f'arms/{values.pop("profile")}.yaml'))
    return {**profile, **values, 'limits': {**profile['limits'], **limits}}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
