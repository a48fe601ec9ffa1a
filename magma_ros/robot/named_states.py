"""Named states of the SRDF: MoveIt's actions do not know them, so the client looks them up."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.moveit_parameters import robot_semantics

START = 'start'  # not in every vendor's SRDF
HEIGHTS_M = {'home': 0.0, 'approach': -0.08, 'retreat': 0.08}  # of the tool above the start pose
WALL_M = 0.01  # kept from floor and ceiling of the box


def destination_joints(profile: ArmProfile, name: str) -> FloatArray:
    """Joint positions (dof,) of ``home``, the start pose, or lower or higher within the box.

    Raises:
        ConfigurationError: there is no such destination, or the arm does not reach it.
    """
    if name not in HEIGHTS_M:
        raise ConfigurationError(f'no destination {name!r}; there are {", ".join(HEIGHTS_M)}')
    start, kinematics = state_joints(profile, START), profile.kinematics()
    if not HEIGHTS_M[name]:
        return start
    pose = kinematics.forward(start)
    place_m, limits = pose.translation_m.copy(), profile.limits
    lowest_m, highest_m = limits.box_min_m[2] + WALL_M, limits.box_max_m[2] - WALL_M
    place_m[2] = min(max(place_m[2] + HEIGHTS_M[name], lowest_m), highest_m)
    joints = kinematics.inverse(Pose(place_m, pose.quaternion_xyzw), start)
    if joints is None:
        raise ConfigurationError(
            f'{profile.name} does not reach {name}, {HEIGHTS_M[name]:+.2f} m from its start pose: '
            'choose another start_joints_rad'
        )
    return joints


def state_joints(profile: ArmProfile, name: str) -> FloatArray:
    """Joint positions (dof,) of a state of the arm's planning group; ``start`` is the profile's.

    Raises:
        ConfigurationError: there is no such state, or it lacks a joint.
        EnvironmentMissing: the SRDF is the vendor's, whose package is not installed.
    """
    if name == START:
        return np.array(profile.start_joints_rad)
    states = {
        state.attrib['name']: {
            joint.attrib['name']: float(joint.attrib['value']) for joint in state.iterfind('joint')
        }
        for state in ElementTree.fromstring(robot_semantics(profile)).iterfind('group_state')
        if state.attrib['group'] == profile.planning_group
    }
    if name not in states:
        raise ConfigurationError(
            f'{profile.planning_group} has no state {name!r}; there are {sorted({START, *states})}'
        )
    missing = [joint for joint in profile.joint_names if joint not in states[name]]
    if missing:
        raise ConfigurationError(f'state {name!r} of the SRDF lacks the joints {missing}')
    return np.array([states[name][joint] for joint in profile.joint_names])
