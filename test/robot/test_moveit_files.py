"""The files of config/moveit: known keys, exact types, and the numbers of the arm profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import moveit_keys as known
import numpy as np
import pytest
from moveit_keys import misfits
from ruamel.yaml import YAML

from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import load_arm_profile

ARMS = ('wx250s', 'wxai', 'fr3', 'panda')
COMPLETE = ('wx250s', 'panda')
PROFILES = {arm: load_arm_profile(arm) for arm in ARMS}
MOVEIT = config_path('moveit')
SCHEMAS = {
    'servo': known.SERVO,
    'servo.humble': known.SERVO_HUMBLE,
    'joint_limits': known.JOINT_LIMITS,
    'kinematics': known.KINEMATICS,
    'kinematics_pick_ik': known.PICK_IK,
    'pilz_cartesian_limits': known.CARTESIAN_LIMITS,
    'moveit_controllers': known.MOVEIT_CONTROLLERS,
    'ompl_planning': {**known.PIPELINE, **known.PLANNERS},
    'ompl_planning.humble': {**known.PIPELINE_HUMBLE, **known.PLANNERS},
    'pilz_planning': {**known.PIPELINE, 'default_planner_config': str},
    'pilz_planning.humble': {**known.PIPELINE_HUMBLE, 'default_planner_config': str},
}
NEEDED = {'servo', 'servo.humble', 'joint_limits', 'kinematics', 'kinematics_pick_ik'}
FOR_COMPLETE = {'pilz_cartesian_limits', 'moveit_controllers', 'ros2_controllers'}


def read(name: str) -> Any:
    return YAML(typ='safe').load((MOVEIT / f'{name}.yaml').read_text())


def files() -> list[Path]:
    return sorted(MOVEIT.rglob('*.yaml'))


def short(path: Path) -> str:
    return path.relative_to(MOVEIT).as_posix()


@pytest.mark.parametrize('path', files(), ids=short)
def test_every_key_is_known_and_of_its_type(path: Path) -> None:
    if path.name.startswith('ros2_controllers'):
        complaints = controller_misfits(read(short(path).removesuffix('.yaml')))
    else:
        complaints = misfits(
            read(short(path).removesuffix('.yaml')), SCHEMAS[path.stem], path.stem
        )

    assert not complaints


def controller_misfits(values: dict[str, Any]) -> list[str]:
    """Of a parameter file of ros2_control: a section for each node."""
    complaints = []
    for node, section in values.items():
        parameters = section['ros__parameters']
        if node.endswith('/controller_manager'):
            rest = {key: value for key, value in parameters.items() if key != 'update_rate'}
            complaints += misfits(rest, {'*': {'type': str}}, node)
            types = {controller['type'] for controller in rest.values()}
            complaints += sorted(types - known.CONTROLLER_TYPES)
        elif 'gripper' in node or 'hand' in node:
            complaints += misfits(parameters, known.GRIPPER_CONTROLLER, node)
        else:
            complaints += misfits(parameters, known.TRAJECTORY_CONTROLLER, node)
    return complaints


@pytest.mark.parametrize(
    ('values', 'complaint'),
    [
        ({'scale': {'linaer': 0.1}}, 'servo.scale.linaer is unknown'),
        ({'publish_period': 1}, 'servo.publish_period is 1, not float'),
        ({'joint_limit_margins': 0.1}, 'servo.joint_limit_margins is None, not float'),
        ({'scale': 0.1}, 'servo.scale must be a table'),
    ],
)
def test_a_typing_error_is_found(values: dict[str, Any], complaint: str) -> None:
    assert misfits(values, known.SERVO, 'servo')[0].startswith(complaint)


@pytest.mark.parametrize('arm', ARMS)
def test_no_file_is_missing(arm: str) -> None:
    there = {path.stem for path in (MOVEIT / arm).glob('*.yaml')}

    assert NEEDED | (FOR_COMPLETE if arm in COMPLETE else set()) <= there


@pytest.mark.parametrize('kind', ['servo', 'servo.humble'])
@pytest.mark.parametrize('arm', ARMS)
def test_servo_has_the_numbers_of_the_profile(arm: str, kind: str) -> None:
    profile, servo = PROFILES[arm], read(f'{arm}/{kind}')
    margins = servo.get('joint_limit_margins', [servo.get('joint_limit_margin')])

    assert servo['move_group_name'] == profile.planning_group
    assert servo['joint_topic'] == profile.joint_states_topic
    assert servo['command_out_topic'] == profile.trajectory_topic
    assert servo['scale']['linear'] == profile.limits.speed_m_s
    assert servo['scale']['rotational'] == profile.limits.angular_speed_rad_s
    assert servo['lower_singularity_threshold'] == profile.singularity_slow
    assert servo['hard_stop_singularity_threshold'] == profile.singularity_stop
    assert margins == [profile.joint_margin_rad]
    assert servo.get('planning_frame', profile.base_link) == profile.base_link
    assert servo.get('ee_frame_name', profile.tip_link) == profile.tip_link


@pytest.mark.parametrize('kind', ['servo', 'servo.humble'])
@pytest.mark.parametrize('arm', ARMS)
def test_servo_stops_a_dead_controller_and_in_front_of_things(arm: str, kind: str) -> None:
    limits, servo = PROFILES[arm].limits, read(f'{arm}/{kind}')
    speed = limits.speed_m_s
    braking_m = speed / servo['collision_check_rate'] + speed**2 / (2 * limits.brake_m_s2) + 0.01

    assert servo['incoming_command_timeout'] <= 0.1
    assert servo['command_in_type'] == 'speed_units'
    assert servo['self_collision_proximity_threshold'] >= braking_m
    assert servo['scene_collision_proximity_threshold'] >= braking_m


@pytest.mark.parametrize('arm', ARMS)
def test_servo_would_start(arm: str) -> None:
    """The rules by which servo_node ends at once (2.12)."""
    servo = read(f'{arm}/servo')

    assert servo['max_expected_latency'] > 3 * servo['publish_period']
    assert servo['hard_stop_singularity_threshold'] > servo['lower_singularity_threshold']
    scene, self_ = (f'{what}_collision_proximity_threshold' for what in ('scene', 'self'))
    assert servo[scene] >= servo[self_]
    assert servo['publish_joint_positions']
    assert servo['smoothing_filter_plugin_name'].endswith('::AccelerationLimitedPlugin')


@pytest.mark.parametrize('arm', ARMS)
def test_joint_limits_are_those_of_the_profile(arm: str) -> None:
    profile, limits = PROFILES[arm], read(f'{arm}/joint_limits')['joint_limits']

    assert set(limits) == {*profile.joint_names, profile.gripper_joint}
    for place, name in enumerate(profile.joint_names):
        assert limits[name]['max_velocity'] == profile.joint_speed_rad_s[place]
        assert limits[name]['max_acceleration'] == profile.joint_acceleration_rad_s2[place]


@pytest.mark.parametrize('variant', ['kinematics', 'kinematics_pick_ik'])
@pytest.mark.parametrize('arm', ARMS)
def test_the_planning_group_has_a_solver(arm: str, variant: str) -> None:
    assert list(read(f'{arm}/{variant}')) == [PROFILES[arm].planning_group]


@pytest.mark.parametrize('arm', COMPLETE)
def test_straight_lines_stay_in_the_envelope(arm: str) -> None:
    limits = PROFILES[arm].limits
    cartesian = read(f'{arm}/pilz_cartesian_limits')['cartesian_limits']

    assert cartesian == {
        'max_trans_vel': limits.speed_m_s,
        'max_trans_acc': limits.acceleration_m_s2,
        'max_trans_dec': -limits.brake_m_s2,
        'max_rot_vel': limits.angular_speed_rad_s,
    }


@pytest.mark.parametrize('arm', COMPLETE)
def test_moveit_and_ros2_control_speak_of_the_same_controllers(arm: str) -> None:
    profile = PROFILES[arm]
    manager = read(f'{arm}/moveit_controllers')['moveit_simple_controller_manager']
    (name,) = manager['controller_names']
    control = read(f'{arm}/ros2_controllers')
    node = profile.trajectory_topic.removesuffix('/joint_trajectory')
    arm_controller = control[node]['ros__parameters']
    gripper = control[profile.gripper_name.removesuffix('/gripper_cmd')]['ros__parameters']
    tolerances = {
        joint: values['trajectory']
        for joint, values in arm_controller['constraints'].items()
        if isinstance(values, dict)
    }

    assert f'/{name.lstrip("/")}/{manager[name]["action_ns"]}' == profile.trajectory_action
    assert manager[name]['joints'] == arm_controller['joints'] == list(profile.joint_names)
    assert tolerances == dict.fromkeys(profile.joint_names, profile.tracking_rad)
    assert arm_controller['allow_nonzero_velocity_at_trajectory_end'] is True
    assert gripper['joint'] == profile.gripper_joint


@pytest.mark.parametrize('arm', COMPLETE)
def test_variants_change_what_is_there(arm: str) -> None:
    common = read(f'{arm}/ros2_controllers')

    for path in (MOVEIT / arm).glob('ros2_controllers.*.yaml'):
        for node, section in read(short(path).removesuffix('.yaml')).items():
            assert node in common
            extra = set(section['ros__parameters']) - set(common[node]['ros__parameters'])
            assert extra <= {'gains'}


@pytest.mark.parametrize('arm', COMPLETE)
def test_both_distributions_plan_alike(arm: str) -> None:
    group = PROFILES[arm].planning_group
    jazzy, humble = read('ompl_planning'), read('ompl_planning.humble')

    assert jazzy[group] == humble[group]
    assert jazzy['planner_configs'] == humble['planner_configs']
    assert set(jazzy[group]['planner_configs']) == set(jazzy['planner_configs'])
    assert np.isfinite(jazzy[group]['longest_valid_segment_fraction'])
