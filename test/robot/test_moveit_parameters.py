from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.resources import urdf_path
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.robot.moveit_parameters import (
    has_own_drivers,
    move_group_parameters,
    robot_description,
    robot_semantics,
    servo_parameters,
)

WIDOWX, PANDA, WXAI = (load_arm_profile(arm) for arm in ('wx250s', 'panda', 'wxai'))
PLUGINS = {
    ('wx250s', 'mock'): 'mock_components/GenericSystem',
    ('wx250s', 'real'): 'interbotix_xs_ros_control/XSHardwareInterface',
    ('panda', 'mock'): 'mock_components/GenericSystem',
    ('panda', 'real'): 'franka_hardware/FrankaHardwareInterface',
}


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with Trossen's packages, whose files are ours."""
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    for name, text in (
        (WXAI.vendor_urdf, urdf_path('wxai.urdf.xacro').read_text()),
        (WXAI.vendor_srdf, '<robot name="vendor"/>'),
    ):
        path = tmp_path / 'share' / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(('arm', 'hardware'), PLUGINS)
def test_hardware_is_chosen_by_an_argument(arm: str, hardware: str) -> None:
    profile = load_arm_profile(arm)
    robot = ElementTree.fromstring(robot_description(profile, hardware, '10.0.0.2'))
    control = robot.find('ros2_control')
    assert control is not None
    starts = {
        joint.attrib['name']: float(str(joint.findtext('state_interface/param')))
        for joint in control.iterfind('joint')
    }

    assert control.findtext('hardware/plugin') == PLUGINS[arm, hardware]
    assert [starts[name] for name in profile.joint_names] == list(profile.start_joints_rad)
    assert starts.get(profile.gripper_joint, profile.finger_open_m) == profile.finger_open_m
    ip = control.findtext("hardware/param[@name='robot_ip']")
    assert ip == ('10.0.0.2' if (arm, hardware) == ('panda', 'real') else None)


def test_simulation_has_no_ros2_control_and_only_pads_collide() -> None:
    for profile in (WIDOWX, PANDA):
        robot = ElementTree.fromstring(profile.urdf_text())
        names = [shape.get('name', '') for shape in robot.iterfind('link/collision')]

        assert robot.find('ros2_control') is None
        assert sorted(names) == ['left_pad', 'right_pad']
        assert len(robot_description(profile).split('<collision')) > 8


def test_servo_ramps_with_the_brake_and_plans_do_not() -> None:
    servo = servo_parameters(WIDOWX, 'urdf', 'jazzy')
    planning = move_group_parameters(WIDOWX, 'urdf', 'jazzy')
    waist = [p['robot_description_planning']['joint_limits']['waist'] for p in (servo, planning)]

    assert [joint['max_acceleration'] for joint in waist] == [9.0, 5.0]
    assert servo['update_period'] == servo['moveit_servo']['publish_period']
    assert servo['planning_group_name'] == 'interbotix_arm'
    assert servo['robot_description'] == 'urdf'
    assert 'left_finger' in servo['robot_description_planning']['joint_limits']


def test_humble_gets_its_own_files() -> None:
    jazzy, humble = (servo_parameters(PANDA, '', distro) for distro in ('jazzy', 'humble'))
    pipelines = [move_group_parameters(PANDA, '', d)['ompl'] for d in ('jazzy', 'humble')]

    assert 'joint_limit_margins' in jazzy['moveit_servo']
    assert 'joint_limit_margin' in humble['moveit_servo']
    assert ['planning_plugins' in pipeline for pipeline in pipelines] == [True, False]


def test_move_group_has_both_pipelines_and_cartesian_limits() -> None:
    parameters = move_group_parameters(PANDA, '', 'kilted', 'kinematics_pick_ik')

    assert set(parameters['planning_pipelines']) <= set(parameters)
    assert parameters['robot_description_planning']['cartesian_limits']['max_trans_vel'] == 0.25
    solver = parameters['robot_description_kinematics']['panda_arm']['kinematics_solver']
    assert solver == 'pick_ik/PickIkPlugin'
    assert 'name="panda_arm"' in parameters['robot_description_semantic']


def test_only_complete_arms_bring_their_own_drivers() -> None:
    own = [arm for arm in ('wx250s', 'wxai', 'fr3', 'panda') if has_own_drivers(arm)]

    assert own == ['wx250s', 'panda']


def test_the_vendors_description_is_used_where_it_is_installed(vendor: Path) -> None:
    assert 'name="vendor"' in robot_semantics(WXAI)
    assert 'ee_gripper_link' in robot_description(WXAI)


def test_a_vendors_description_of_another_arm_is_refused(vendor: Path) -> None:
    path = vendor / 'share' / WXAI.vendor_urdf
    path.write_text(path.read_text().replace('velocity="7"', 'velocity="9.42"'))

    with pytest.raises(ConfigurationError, match=r'joint_velocity_rad_s is .*URDF says .*9.42'):
        robot_description(WXAI)


def test_a_missing_vendor_package_is_named() -> None:
    with pytest.raises(EnvironmentMissing, match='wxai needs the package trossen_arm_moveit'):
        robot_semantics(WXAI)
