"""What makes no sense in an arm profile, before it is compared with the URDF."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

from magma_ros.data_types import Reference

if TYPE_CHECKING:
    from magma_ros.robot.arm_profile import ArmProfile

# How a gripper is spoken to; each has its adapter in ros/.
GRIPPER_INTERFACES = (
    'parallel_gripper_command',  # control_msgs, Jazzy and later; position of the gripper joint
    'gripper_command',  # control_msgs, Humble; position of the gripper joint
    'follow_joint_trajectory',  # control_msgs, on the gripper joint
    'franka',  # franka_msgs Move and Grasp; width, which is twice the finger joint
    'interbotix',  # JointSingleCommand, linear_position; width, which is twice the finger joint
)
# Above these a value is in another unit rather than bold (mm, degrees, percent).
IMPLAUSIBLE = {
    'speed_m_s': 0.5,  # the fenced profile of docs/safety.md
    'angular_speed_rad_s': 3.0,
    'step_m': 0.2,
    'step_rad': 1.0,
    'blind_travel_m': 0.2,
    'cone_rad': math.pi,
}
PER_JOINT = (
    *('joint_lower_rad', 'joint_upper_rad', 'joint_velocity_rad_s', 'joint_speed_rad_s'),
    *('joint_acceleration_rad_s2', 'joint_brake_rad_s2', 'start_joints_rad'),
)
POSITIVE = ('joint_margin_rad', 'tracking_m', 'tracking_rad', 'tracking_s')
TEXTS = (
    *('name', 'urdf', 'srdf', 'vendor_urdf', 'vendor_srdf', 'base_link', 'tip_link'),
    *('planning_group', 'gripper_joint', 'gripper_name'),
    *('joint_states_topic', 'trajectory_topic', 'trajectory_action'),
)


def complaints(profile: ArmProfile) -> Iterator[str]:
    """One sentence for everything that is wrong, with what would be right."""
    yield from _limits(profile)
    for name in TEXTS:
        if not isinstance(getattr(profile, name), str):
            yield f'{name} is {getattr(profile, name)!r}; it must be text'
    if not _is_list(profile.joint_names, len(profile.joint_names), str):
        yield 'joint_names must be names'
        return
    lists = [name for name in PER_JOINT if not _is_list(getattr(profile, name), _dof(profile))]
    for name in lists:
        yield f'{name} needs {_dof(profile)} numbers, one for each of {list(profile.joint_names)}'
    if not _is_list(profile.tool_rpy_rad, 3):
        yield 'tool_rpy_rad must be three numbers'
    if not lists:
        yield from _joints(profile)
    yield from _scalars(profile)


def _limits(profile: ArmProfile) -> Iterator[str]:
    limits = asdict(profile.limits)
    box = (limits.pop('box_min_m'), limits.pop('box_max_m'))
    for name, value in limits.items():
        most = IMPLAUSIBLE.get(name, math.inf)
        if not (_is_number(value) and value > 0):
            yield f'limit {name} is {value!r}; it must be a number above 0'
        elif value > most:
            yield f'limit {name} is {value!r}; above {most:g} it looks like another unit'
    if not all(_is_list(corner, 3) and max(map(abs, corner)) <= 2 for corner in box):
        yield f'box corners {box} must be three numbers each (m, within 2 m)'
    elif not all(low < high for low, high in zip(*box, strict=True)):
        yield f'box_min_m {box[0]} must be below box_max_m {box[1]} on each axis'


def _joints(profile: ArmProfile) -> Iterator[str]:
    for place, name in enumerate(profile.joint_names):
        low, high = profile.joint_lower_rad[place], profile.joint_upper_rad[place]
        if not low < high:
            yield f'joint {name}: joint_lower_rad {low} must be below joint_upper_rad {high}'
        elif not low < profile.start_joints_rad[place] < high:
            yield f'joint {name}: start_joints_rad must be between {low} and {high}'
        speed, fastest = profile.joint_speed_rad_s[place], profile.joint_velocity_rad_s[place]
        if not 0 < speed <= fastest:
            yield f'joint {name}: joint_speed_rad_s {speed} must be above 0 and at most {fastest}'
        planned = profile.joint_acceleration_rad_s2[place]
        if not 0 < planned <= profile.joint_brake_rad_s2[place]:
            yield (
                f'joint {name}: joint_acceleration_rad_s2 {planned} must be above 0 and at most '
                f'joint_brake_rad_s2 {profile.joint_brake_rad_s2[place]}'
            )


def _scalars(profile: ArmProfile) -> Iterator[str]:
    for name in POSITIVE:
        value = getattr(profile, name)
        if not (_is_number(value) and value > 0):
            yield f'{name} is {value!r}; it must be a number above 0'
    slow, stop = profile.singularity_slow, profile.singularity_stop
    if not (_is_number(slow) and _is_number(stop) and 1 < slow < stop):
        yield f'singularity_slow {slow!r} must be above 1 and below singularity_stop {stop!r}'
    fingers = (profile.finger_closed_m, profile.finger_open_m, profile.pad_thickness_m)
    if not all(map(_is_number, fingers)) or profile.finger_closed_m == profile.finger_open_m:
        yield (
            f'finger_closed_m, finger_open_m, pad_thickness_m are {fingers}; they must be '
            'numbers, the first two different'
        )
    if not isinstance(profile.box_recorded, bool):
        yield f'box_recorded is {profile.box_recorded!r}; it must be true or false'
    if profile.gripper_interface not in GRIPPER_INTERFACES:
        yield f'gripper_interface is {profile.gripper_interface!r}; valid: {GRIPPER_INTERFACES}'
    if profile.delta_reference not in get_args(Reference):
        yield f'delta_reference is {profile.delta_reference!r}; valid: {get_args(Reference)}'


def _dof(profile: ArmProfile) -> int:
    return len(profile.joint_names)


def _is_list(value: Any, length: int, kind: type | None = None) -> bool:
    if not isinstance(value, tuple) or len(value) != length or not value:
        return False
    return all(isinstance(item, kind) if kind else _is_number(item) for item in value)


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
