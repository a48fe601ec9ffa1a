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
from magma_ros.rotations import euler_from_down

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


def test_the_start_pose_points_straight_down_away_from_singularities() -> None:
    profile = load_arm_profile('wx250s')
    kinematics = profile.kinematics()
    start = np.array(profile.start_joints_rad)

    assert euler_from_down(kinematics.forward(start)) == pytest.approx(np.zeros(3), abs=1e-4)
    assert kinematics.condition(start) < profile.singularity_slow / 2
    margin = profile.joint_margin_rad
    assert (start > kinematics.lower_rad + margin).all()
    assert (start < kinematics.upper_rad - margin).all()


def test_numbers_and_lists_arrive_in_the_limits(load_changed) -> None:
    profile = load_changed(lambda values: values['limits'].update(speed_m_s=0.07))

    assert profile.limits.speed_m_s == 0.07
    assert profile.limits.box_min_m == (0.12, -0.20, 0.015)


def test_missing_profile_lists_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r'arms/ur5\.yaml.*arms/wx250s\.yaml'):
        load_arm_profile('ur5')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda v: v.update(colour='red'), r"unknown or missing keys \['colour'\].*tip_link"),
        (lambda v: v.pop('tip_link'), r"unknown or missing keys \['tip_link'\]"),
        (lambda v: v['limits'].update(speed=1), r"limits.*\['speed'\].*speed_m_s"),
        (lambda v: v.update(limits=None), r'limits must be a table'),
        (lambda v: v['limits'].update(speed_m_s='fast'), "speed_m_s is 'fast'.*number above 0"),
        (lambda v: v['limits'].update(speed_m_s=-0.1), 'speed_m_s is -0.1'),
        (lambda v: v['limits'].update(jerk_m_s3=float('nan')), 'jerk_m_s3 is nan'),
        (lambda v: v['limits'].update(box_min_m=[0, 0]), 'three numbers'),
        (lambda v: v['limits'].update(box_min_m=[0.5, 0, 0]), 'box_min_m.*below box_max_m'),
        (lambda v: v.update(singularity_slow=90.0), 'singularity_slow must be above 0 and below'),
        (lambda v: v.update(joint_margin_rad='wide'), 'must be numbers'),
        (lambda v: v.update(joint_margin_rad=float('nan')), 'must be numbers'),
        (lambda v: v['limits'].update(speed_m_s=float('inf')), 'speed_m_s is inf'),
        (lambda v: v.update(finger_open_m=0.01), 'finger_closed_m must be below finger_open_m'),
        (lambda v: v['start_joints_rad'].pop(), 'start_joints_rad needs 6 values'),
    ],
)
def test_a_wrong_value_is_named(load_changed, change: Change, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
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
