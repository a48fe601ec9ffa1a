from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from magma_ros.errors import ConfigurationError
from magma_ros.resources import config_path
from magma_ros.robot import arm_profile
from magma_ros.robot.arm_profile import ArmProfile, load_arm_profile
from magma_ros.rotations import euler_from_down, rotation_of

ARMS = ('wx250s', 'wxai', 'fr3', 'panda')
HORIZON_S = 0.15  # in which everything comes to rest, docs/safety.md
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def load_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Change], ArmProfile]:
    """Loads the WidowX profile after a change to its values."""

    def load(change: Change) -> ArmProfile:
        yaml = YAML(typ='safe')
        values = yaml.load(config_path('arms/wx250s.yaml').read_text())
        change(values)
        path = tmp_path / 'changed.yaml'
        with path.open('w') as file:
            yaml.dump(values, file)
        monkeypatch.setattr(arm_profile, 'config_path', lambda name: path)
        return load_arm_profile('changed')

    return load


def test_these_are_all_the_arms() -> None:
    files = sorted(path.stem for path in config_path('arms').iterdir())

    assert files == sorted(ARMS)
    assert [load_arm_profile(arm).name for arm in ARMS] == list(ARMS)


@pytest.mark.parametrize('arm', ARMS)
def test_the_start_pose_points_straight_down_away_from_singularities(arm: str) -> None:
    profile = load_arm_profile(arm)
    kinematics = profile.kinematics()
    start = np.array(profile.start_joints_rad)
    pose = kinematics.forward(start)

    assert (rotation_of(pose).apply([1, 0, 0])) == pytest.approx([0, 0, -1], abs=1e-4)
    assert euler_from_down(pose) == pytest.approx(np.zeros(3), abs=1e-4)
    assert kinematics.condition(start) < profile.singularity_slow / 2
    margin = profile.joint_margin_rad
    assert (start > kinematics.lower_rad + margin).all()
    assert (start < kinematics.upper_rad - margin).all()
    assert (pose.translation_m > profile.limits.box_min_m).all()
    assert (pose.translation_m < profile.limits.box_max_m).all()


@pytest.mark.parametrize('arm', ARMS)
def test_full_joint_speed_is_braked_within_the_horizon(arm: str) -> None:
    profile = load_arm_profile(arm)
    speed, brake = np.array(profile.joint_speed_rad_s), np.array(profile.joint_brake_rad_s2)

    assert (speed / brake <= HORIZON_S).all()
    assert (speed <= 0.4 * np.array(profile.joint_velocity_rad_s) + 0.01).all()


def test_numbers_and_lists_arrive_in_the_limits(load_changed) -> None:
    profile = load_changed(lambda values: values['limits'].update(speed_m_s=0.07))

    assert profile.limits.speed_m_s == 0.07
    assert profile.limits.box_min_m == (0.12, -0.20, 0.015)


def test_a_gripper_that_closes_upwards_is_no_fault(load_changed) -> None:
    profile = load_changed(lambda v: v.update(finger_closed_m=0.037, finger_open_m=0.015))

    assert profile.finger_open_m < profile.finger_closed_m


def test_missing_profile_lists_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r'arms/ur5\.yaml.*arms/wx250s\.yaml'):
        load_arm_profile('ur5')


def in_degrees(values: dict[str, Any]) -> None:
    values['joint_upper_rad'] = [180, 114, 92, 180, 123, 180]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda v: v.update(colour='red'), r"unknown or missing keys \['colour'\].*tip_link"),
        (lambda v: v.pop('tip_link'), r"unknown or missing keys \['tip_link'\]"),
        (
            lambda v: v.update(joint_lower_deg=v.pop('joint_lower_rad')),
            r'Did you mean joint_lower_rad \(units are in the names\)',
        ),
        (lambda v: v['limits'].update(speed=1), r"limits.*\['speed'\].*speed_m_s"),
        (lambda v: v['limits'].update(speed_mm_s=150), r'mean speed_m_s'),
        (lambda v: v['limits'].update(speed_m_s=150), 'speed_m_s is 150.*another unit'),
        (lambda v: v['limits'].update(cone_rad=60), 'cone_rad is 60.*another unit'),
        (lambda v: v.update(limits=None), r'limits must be a table'),
        (lambda v: v['limits'].update(speed_m_s='fast'), "speed_m_s is 'fast'.*number above 0"),
        (lambda v: v['limits'].update(speed_m_s=-0.1), 'speed_m_s is -0.1'),
        (lambda v: v['limits'].update(jerk_m_s3=float('nan')), 'jerk_m_s3 is nan'),
        (lambda v: v['limits'].update(box_min_m=[0, 0]), 'three numbers'),
        (lambda v: v['limits'].update(box_max_m=[450, 200, 300]), 'within 2 m'),
        (lambda v: v['limits'].update(box_min_m=[0.5, 0, 0]), 'box_min_m.*below box_max_m'),
        (lambda v: v.update(singularity_slow=90.0), 'singularity_slow 90.0 must be above 1 and'),
        (lambda v: v.update(joint_margin_rad='wide'), "joint_margin_rad is 'wide'"),
        (lambda v: v.update(joint_margin_rad=float('nan')), 'joint_margin_rad is nan'),
        (lambda v: v['limits'].update(speed_m_s=float('inf')), 'speed_m_s is inf'),
        (lambda v: v.update(finger_open_m=0.015), 'the first two different'),
        (lambda v: v.update(finger_open_m=37), r'finger_open_m is 37; the URDF allows 0.015 to'),
        (lambda v: v['start_joints_rad'].pop(), 'start_joints_rad needs 6 numbers.*waist'),
        (lambda v: v.update(tool_rpy_rad=[0.0]), 'tool_rpy_rad must be three numbers'),
        (lambda v: v.update(gripper_interface='claw'), "'claw'; valid: .*'gripper_command'"),
        (lambda v: v.update(delta_reference='target'), "'target'; valid: .*'measured'"),
        (lambda v: v.update(planning_group=7), 'planning_group is 7; it must be text'),
        (lambda v: v.update(joint_names='waist'), 'joint_names must be names'),
        (
            lambda v: v['joint_lower_rad'].__setitem__(1, 2.5),
            'joint shoulder: joint_lower_rad 2.5 must be below joint_upper_rad 1.98968',
        ),
        (
            lambda v: v['joint_upper_rad'].__setitem__(1, 2.1),
            r'joint_upper_rad is \[3.14158, 2.1, .*the URDF says \[3.14158, 1.98968, 1.6057, ',
        ),
        (in_degrees, r'joint_upper_rad is \[180.*the URDF says \[3.14158, 1.98968'),
        (
            lambda v: v['joint_velocity_rad_s'].__setitem__(0, 6.28),
            r'joint_velocity_rad_s is \[6.28.*the URDF says \[3.14159',
        ),
        (lambda v: v['joint_names'].__setitem__(0, 'hip'), r"\['hip'\] are not.*'waist'"),
        (lambda v: v.update(tip_link='tool0'), r'"tool0" is not in the URDF.*ee_gripper_link'),
        (lambda v: v.update(base_link='floor'), r'"floor" \(base_link\).*wx250s/base_link'),
        (lambda v: v.update(gripper_joint='claw'), r'"claw" is not one of .*left_finger'),
        (lambda v: v['joint_speed_rad_s'].__setitem__(2, 4.0), 'joint elbow: joint_speed_rad_s'),
        (
            lambda v: v['joint_acceleration_rad_s2'].__setitem__(0, 10.0),
            'joint waist: joint_acceleration_rad_s2 10.0',
        ),
        (
            lambda v: v['start_joints_rad'].__setitem__(2, 1.7),
            'joint elbow: start_joints_rad must be between -2.14675 and 1.6057',
        ),
    ],
)
def test_a_wrong_value_is_named(load_changed, change: Change, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_changed(change)


def test_everything_that_is_wrong_is_said_at_once(load_changed) -> None:
    def change(values: dict[str, Any]) -> None:
        values['limits']['speed_m_s'] = -1
        values['tracking_m'] = 0

    with pytest.raises(ConfigurationError, match=r'speed_m_s is -1.*tracking_m is 0'):
        load_changed(change)


@pytest.mark.parametrize('text', ['', '- a\n- b\n', 'name: [\n'])
def test_a_file_that_is_no_table_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'arm.yaml'
    path.write_text(text)
    monkeypatch.setattr(arm_profile, 'config_path', lambda name: path)

    with pytest.raises(ConfigurationError, match=r'arm\.yaml'):
        load_arm_profile('arm')
