"""Named states of the SRDF: MoveIt's actions do not know them, so the client looks them up."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from magma_ros.data_types import FloatArray
from magma_ros.errors import ConfigurationError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.moveit_parameters import robot_semantics

START = 'start'  # not in every vendor's SRDF


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
