"""Each check fails for its own fact, unknown facts fail, and waiving is by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.motion.arming import (
    CHECKS,
    ArmingFacts,
    Outcome,
    check_arming,
    failed_names,
    read_waived,
)

GOOD = ArmingFacts(
    limits_agree=True,
    is_box_recorded=True,
    calibration_age_days=3.0,
    joints_good_s=1.0,
    camera_good_s=2.0,
    has_transforms=True,
    kinematics_error_m=0.001,
    is_start_inside=True,
    is_only_publisher=True,
    is_model_expected=True,
    is_model_warm=True,
    is_estop_heard=True,
    free_disk_gb=9.0,
    is_recording_needed=True,
    is_clock_sane=True,
    is_profile_confirmed=True,
    is_servo_as_expected=True,
)
SPOILT = {
    'joint_limits': {'limits_agree': False},
    'workspace_box': {'is_box_recorded': False},
    'calibration': {'calibration_age_days': 31.0},
    'joint_states': {'joints_good_s': 0.9},
    'camera': {'camera_good_s': None},
    'transforms': {'has_transforms': False},
    'kinematics': {'kinematics_error_m': 0.006},
    'start_pose': {'is_start_inside': False},
    'only_publisher': {'is_only_publisher': False},
    'model_hash': {'is_model_expected': False},
    'model_warm': {'is_model_warm': None},
    'emergency_stop': {'is_estop_heard': False},
    'disk': {'free_disk_gb': 4.9},
    'clock': {'is_clock_sane': False},
    'profile': {'is_profile_confirmed': False},
    'servo': {'is_servo_as_expected': None},
}


def test_sixteen_checks_pass_when_everything_is_known_and_good() -> None:
    results = check_arming(GOOD)
    assert len(results) == 16
    assert {result.outcome for result in results} == {Outcome.PASSED}


@pytest.mark.parametrize('name', CHECKS)
def test_each_fact_fails_its_own_check_and_says_what_to_do(name: str) -> None:
    results = check_arming(replace(GOOD, **SPOILT[name]))
    assert failed_names(results) == (name,)
    assert next(result.text for result in results if result.name == name)
    waived = check_arming(replace(GOOD, **SPOILT[name]), read_waived(f' {name}, disk'))
    assert failed_names(waived) == ()
    assert [r.name for r in waived if r.outcome is Outcome.WAIVED] == [name]


def test_knowing_nothing_is_no_reason_to_move() -> None:
    failed = failed_names(check_arming(ArmingFacts()))
    assert set(failed) == set(CHECKS) - {'disk'}  # nothing is to be recorded


@pytest.mark.parametrize('age_days', [-1.0, float('nan')])
def test_a_calibration_from_the_future_is_none(age_days: float) -> None:
    facts = replace(GOOD, calibration_age_days=age_days)
    assert failed_names(check_arming(facts)) == ('calibration',)


def test_a_check_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigurationError, match='waived_checks names camra; the checks are'):
        read_waived('camra,disk')
