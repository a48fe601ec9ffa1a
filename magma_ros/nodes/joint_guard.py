"""The joint guard of an arm profile, for everything that sends twists."""

from __future__ import annotations

import numpy as np

from magma_ros.motion.joint_limits import JointGuard, JointLimits
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.kinematics import Kinematics


def make_joint_guard(profile: ArmProfile, kinematics: Kinematics) -> JointGuard:
    """``kinematics``: of this profile, used by nobody else who may run at the same time."""
    limits = JointLimits(
        kinematics.lower_rad,
        kinematics.upper_rad,
        np.array(profile.joint_speed_rad_s),
        profile.joint_margin_rad,
        np.array(profile.joint_brake_rad_s2),
        profile.singularity_slow,
        profile.singularity_stop,
    )
    return JointGuard(kinematics, limits)
