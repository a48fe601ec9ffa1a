"""What must be true before the arm may be armed: sixteen checks over one record of facts.

A fact that nobody could find out is None, and an unknown fact fails its check: on hardware the
controller refuses until it is known, or until the configuration waives the check by name. Waived
checks stay visible in the answer of the arm service and in the diagnostics.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection
from dataclasses import dataclass

from magma_ros.errors import ConfigurationError

GOOD_S = 1.0  # inputs must have been good for so long
FK_ERROR_M = 0.005
DISK_GB = 5.0


class Outcome(enum.Enum):
    """How a check went."""

    PASSED = 'passed'
    FAILED = 'FAILED'
    WAIVED = 'waived'


@dataclass(frozen=True)
class CheckResult:
    """One check, by name, with what was found or what to do."""

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class ArmingFacts:
    """Everything the checks look at. None: nobody knows."""

    limits_agree: bool | None = None  # of configuration and URDF, to 1e-3 rad
    is_box_recorded: bool = False  # on this table, or the arm is simulated
    calibration_age_days: float | None = None
    calibration_longest_days: float = 30.0
    joints_good_s: float | None = None
    camera_good_s: float | None = None  # as perception reports
    has_transforms: bool | None = None
    kinematics_error_m: float | None = None  # own forward kinematics against /tf
    is_start_inside: bool | None = None  # of box, cone and joint margins
    is_only_publisher: bool | None = None
    is_model_expected: bool | None = None  # its hash is that of the lock
    is_model_warm: bool | None = None  # one inference was finite and in range
    is_estop_heard: bool | None = None  # and the deadman, where it is required
    free_disk_gb: float | None = None
    is_recording_needed: bool = False
    is_clock_sane: bool | None = None
    is_profile_confirmed: bool = False
    is_servo_as_expected: bool | None = None  # it answers, and has the parameters it should


Check = Callable[[ArmingFacts], bool]


def _is_for(seconds: float | None) -> bool:
    return seconds is not None and seconds >= GOOD_S


def _is_calibrated(facts: ArmingFacts) -> bool:
    age = facts.calibration_age_days
    return age is not None and 0.0 <= age <= facts.calibration_longest_days


def _has_room(facts: ArmingFacts) -> bool:
    return not facts.is_recording_needed or (facts.free_disk_gb or 0.0) >= DISK_GB


# Name: the check, and what to do when it fails.
CHECKS: dict[str, tuple[Check, str]] = {
    'joint_limits': (
        lambda facts: bool(facts.limits_agree),
        'the joint limits of the arm profile must be those of the URDF',
    ),
    'workspace_box': (
        lambda facts: facts.is_box_recorded,
        'record the box of this table and set box_recorded',
    ),
    'calibration': (_is_calibrated, 'calibrate the camera and set calibration_date'),
    'joint_states': (
        lambda facts: _is_for(facts.joints_good_s),
        'joint states must have been good for a second; is the driver running?',
    ),
    'camera': (
        lambda facts: _is_for(facts.camera_good_s),
        'perception must have been content with its pictures for a second',
    ),
    'transforms': (
        lambda facts: bool(facts.has_transforms),
        'perception lacks the pose of the camera',
    ),
    'kinematics': (
        lambda facts: (
            facts.kinematics_error_m is not None and facts.kinematics_error_m < FK_ERROR_M
        ),
        'own forward kinematics must agree with /tf to 5 mm',
    ),
    'start_pose': (
        lambda facts: bool(facts.is_start_inside),
        'move the arm into the workspace box, its cone and its joint margins',
    ),
    'only_publisher': (
        lambda facts: bool(facts.is_only_publisher),
        'stop the other program that commands this arm',
    ),
    'model_hash': (
        lambda facts: bool(facts.is_model_expected),
        'set model_sha256 to the hash of the model you mean to run',
    ),
    'model_warm': (
        lambda facts: bool(facts.is_model_warm),
        'perception must have made one inference',
    ),
    'emergency_stop': (
        lambda facts: bool(facts.is_estop_heard),
        'the emergency stop must be heard on /magma/estop',
    ),
    'disk': (_has_room, 'make room for the recording: 5 GB'),
    'clock': (
        lambda facts: bool(facts.is_clock_sane),
        'the clocks of arm and controller must agree to 50 ms, without a jump for a second',
    ),
    'profile': (
        lambda facts: facts.is_profile_confirmed,
        'set confirmed_profile to the name of the arm profile',
    ),
    'servo': (
        lambda facts: bool(facts.is_servo_as_expected),
        'start servo_node or the stand-in; its parameters must be those of config/',
    ),
}


def check_arming(facts: ArmingFacts, waived: Collection[str] = ()) -> tuple[CheckResult, ...]:
    """Every check with its outcome, in the order of the table."""
    results = []
    for name, (passes, advice) in CHECKS.items():
        if passes(facts):
            results.append(CheckResult(name, Outcome.PASSED, ''))
        else:
            outcome = Outcome.WAIVED if name in waived else Outcome.FAILED
            results.append(CheckResult(name, outcome, advice))
    return tuple(results)


def failed_names(results: Collection[CheckResult]) -> tuple[str, ...]:
    """The checks that bar arming."""
    return tuple(result.name for result in results if result.outcome is Outcome.FAILED)


def read_waived(text: str) -> frozenset[str]:
    """Names separated by commas.

    Raises:
        ConfigurationError: there is no such check.
    """
    names = frozenset(name.strip() for name in text.split(',') if name.strip())
    if unknown := names - set(CHECKS):
        raise ConfigurationError(
            f'waived_checks names {", ".join(sorted(unknown))}; the checks are {", ".join(CHECKS)}'
        )
    return names
