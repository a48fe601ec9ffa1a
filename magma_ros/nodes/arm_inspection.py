"""What can be said of an arm before it moves: the arming checks, and what its data contradict."""

from __future__ import annotations

import time

import numpy as np

from magma_ros.errors import ConfigurationError
from magma_ros.motion.arming import ArmingFacts, CheckResult, check_arming
from magma_ros.motion.commissioning.frame_diagnosis import diagnose_transform
from magma_ros.motion.commissioning.joint_report import JointManifest, check_joint_report
from magma_ros.motion.commissioning.records import Kind, Mismatch
from magma_ros.nodes.arm_link import ArmLink
from magma_ros.nodes.arming_facts import SKEW_S, is_start_inside
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.description import check_description
from magma_ros.robot.kinematics import Kinematics
from magma_ros.rotations import pose_from_matrix

# Of camera, model, disk and controller: they come later, and /magma/arm answers them.
LATER = frozenset(
    {'calibration', 'camera', 'transforms', 'model_hash', 'model_warm', 'disk', 'profile'}
)
UNMOVED = frozenset({'workspace_box'})  # needed to be right, not to move by a centimetre


def inspect_checks(link: ArmLink) -> tuple[CheckResult, ...]:
    """The arming checks an arm can be asked for, in the order of the table."""
    heard, reading, profile = link.heard, link.heard.reading, link.profile
    own, skew_s = heard.read(), heard.clock_skew_s
    by_transforms = heard.tip_by_transforms
    error_m = None
    if own is not None and by_transforms is not None:
        tip_m = reading.kinematics.matrix(own.joint_positions_rad, profile.tip_link)[:3, 3]
        error_m = float(np.linalg.norm(tip_m - by_transforms.translation_m))
    facts = ArmingFacts(
        limits_agree=not _description_mismatches(heard.urdf, profile),
        is_box_recorded=heard.is_simulated or profile.box_recorded,
        joints_good_s=reading.good_s(time.monotonic()),
        kinematics_error_m=error_m,
        is_start_inside=own is not None and is_start_inside(own, profile, reading.kinematics),
        is_only_publisher=not link.has_rival,
        is_estop_heard=heard.is_estop_released
        or (heard.is_simulated and not heard.is_estop_heard),
        is_clock_sane=skew_s is not None and abs(skew_s) <= SKEW_S,
        is_servo_as_expected=link.is_servo_ready,
    )
    return tuple(check for check in check_arming(facts) if check.name not in LATER)


def inspect_data(link: ArmLink) -> tuple[Mismatch, ...]:
    """What joint states, /tf and robot_description say against the profile."""
    heard, profile = link.heard, link.profile
    kinematics = heard.reading.kinematics
    found = list(_description_mismatches(heard.urdf, profile))
    if heard.positions:
        found += check_joint_report(heard.positions, manifest_of(profile, kinematics))
    own = heard.read()
    if own is None:
        return tuple(found)
    joints = own.joint_positions_rad
    tip = pose_from_matrix(kinematics.matrix(joints, profile.tip_link))
    if heard.tip_by_transforms is not None:
        found += diagnose_transform(tip, heard.tip_by_transforms, '/tf')
    if heard.urdf is not None and not found:
        theirs = Kinematics(heard.urdf, profile.joint_names, profile.tip_link)
        found += diagnose_transform(tip, theirs.forward(joints), 'robot_description')
    return tuple(found)


def manifest_of(profile: ArmProfile, kinematics: Kinematics) -> JointManifest:
    """What the profile says of joints."""
    return JointManifest(
        profile.joint_names,
        kinematics.lower_rad,
        kinematics.upper_rad,
        profile.gripper_joint,
        profile.finger_closed_m,
        profile.finger_open_m,
    )


def _description_mismatches(urdf: str | None, profile: ArmProfile) -> tuple[Mismatch, ...]:
    """Of the driver's URDF; none when it was not heard: ours was compared at loading."""
    try:
        if urdf is not None:
            check_description(profile, urdf)
    except ConfigurationError as error:
        return (Mismatch(Kind.DESCRIPTION, f'robot_description and the profile: {error}'),)
    return ()
