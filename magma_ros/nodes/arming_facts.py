"""Finds out what the arming checks want to know, as far as the controller can know it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from magma_ros.data_types import ArmState
from magma_ros.errors import ConfigurationError
from magma_ros.motion.arming import ArmingFacts
from magma_ros.motion.workspace import tilt
from magma_ros.nodes.controller_inputs import ControllerInputs
from magma_ros.nodes.controller_parameters import ControllerParameters
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.kinematics import Kinematics
from magma_ros.ros.status_messages import ERROR, status_values

SKEW_S = 0.05  # between the clocks of arm and controller
CLOCK_S = 1.0  # since its last jump
OUTSIDE_M = 0.02  # of the box: the walls let it move in, and only in


class ArmingFactFinder:
    """Call :meth:`find` ten times a second: some facts must have been so for a while."""

    def __init__(
        self, profile: ArmProfile, wanted: ControllerParameters, inputs: ControllerInputs
    ) -> None:
        self._profile, self._wanted, self._inputs = profile, wanted, inputs
        self._calibrated = _read_date(wanted.calibration_date)
        self._camera_bad_s: float | None = None  # when it was last; None: never asked

    def find(self, is_servo_ready: bool, now_s: float, now_ns: int) -> ArmingFacts:
        """The facts of now. What this process cannot know stays None."""
        wanted, inputs = self._wanted, self._inputs
        reading = inputs.read(now_s, now_ns)
        perception = inputs.perception
        is_seeing = perception is not None and perception.level != ERROR
        is_late = (reading.perception_age_s or 0.0) > wanted.perception_hold_s
        if self._camera_bad_s is None or not is_seeing or is_late:
            self._camera_bad_s = now_s
        camera_good_s = now_s - self._camera_bad_s
        calibrated, directory = self._calibrated, wanted.recording_directory
        return ArmingFacts(
            limits_agree=True,  # load_arm_profile refuses others
            is_box_recorded=(
                wanted.simulated or wanted.box_recorded or self._profile.box_recorded
            ),
            calibration_age_days=(
                (date.today() - calibrated).days if calibrated is not None else None  # noqa: DTZ011
            ),
            joints_good_s=inputs.arm.good_s(now_s),
            camera_good_s=camera_good_s if is_seeing else None,
            has_transforms=is_seeing,  # perception is content with no picture without them
            is_start_inside=(
                reading.arm is not None
                and is_start_inside(reading.arm, self._profile, inputs.arm.kinematics)
            ),
            is_only_publisher=not inputs.has_rival(now_s),
            is_model_expected=_has_model(perception, wanted.model_sha256),
            is_estop_heard=inputs.is_estop_released or not wanted.require_estop,
            free_disk_gb=_free_gb(directory),
            is_recording_needed=bool(directory),
            is_clock_sane=self._is_clock_sane(now_s),
            is_profile_confirmed=(
                wanted.simulated or wanted.confirmed_profile == self._profile.name
            ),
            # Whether its parameters are right is known of the stand-in only.
            is_servo_as_expected=is_servo_ready if wanted.simulated else None,
        )

    def _is_clock_sane(self, now_s: float) -> bool:
        jumped_s = self._inputs.clock.jumped_s
        if jumped_s is not None and now_s - jumped_s < CLOCK_S:
            return False
        return abs(self._inputs.joints_skew_s) <= SKEW_S


def is_start_inside(arm: ArmState, profile: ArmProfile, kinematics: Kinematics) -> bool:
    """Whether the arm is where it may begin: in its box, cone and joint margins."""
    limits, margin = profile.limits, profile.joint_margin_rad
    joints, pose = arm.joint_positions_rad, arm.pose_gripper_in_base
    low, high = np.array(limits.box_min_m), np.array(limits.box_max_m)
    is_in_box = (
        (pose.translation_m >= low - OUTSIDE_M) & (pose.translation_m <= high + OUTSIDE_M)
    ).all()
    is_in_joints = (
        (joints >= kinematics.lower_rad + margin) & (joints <= kinematics.upper_rad - margin)
    ).all()
    return bool(is_in_box and is_in_joints and tilt(pose.quaternion_xyzw)[0] <= limits.cone_rad)


def _has_model(perception: DiagnosticStatus | None, expected: str) -> bool | None:
    if perception is None or not expected:
        return None
    return status_values(perception).get('model_sha256') == expected


def _read_date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f'calibration_date is {text!r}; write it as 2026-01-31'
        ) from error


def check_recording_directory(directory: str) -> None:
    """Raise ConfigurationError if recordings are to go to a folder that is not there."""
    if directory and not Path(directory).is_dir():
        raise ConfigurationError(
            f'recording_directory {directory} is no folder; create it or leave it empty'
        )


def _free_gb(directory: str) -> float | None:
    """None, which fails the check, where the disk is gone."""
    try:
        return shutil.disk_usage(directory).free / 1e9 if directory else None
    except OSError:
        return None
