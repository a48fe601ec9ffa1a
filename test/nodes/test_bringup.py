"""What bringup.launch.py starts, without starting anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.nodes.bringup import (
    bringup_programs,
    recorder_programs,
    remappings,
    teleop_programs,
)
from magma_ros.nodes.moveit_programs import Bringup
from magma_ros.nodes.node_program import DEMO_PROGRAMS, NodeProgram
from magma_ros.resources import config_path
from magma_ros.robot.arm_profile import load_arm_profile


def started(**wanted: object) -> dict[str, NodeProgram]:
    given = {'ros_distro': 'jazzy', **wanted}
    return {program.name: program for program in bringup_programs(Bringup(**given))}  # type: ignore[arg-type]


OURS = [p.name for p in DEMO_PROGRAMS if p.name not in ('sim_node', 'servo_stand_in_node')]
DRIVERS = ['robot_state_publisher', 'controller_manager', 'controller_spawner']


def test_simulation_with_the_stand_in_is_the_demo() -> None:
    programs = started(arm='wx250s', sim=True, servo='stand_in')

    assert list(programs) == [program.name for program in DEMO_PROGRAMS]
    for program in DEMO_PROGRAMS:
        assert programs[program.name].files == program.files
        assert not programs[program.name].remappings


def test_an_overlay_goes_to_every_node_that_asks_for_an_arm(tmp_path: Path) -> None:
    path = tmp_path / 'table.yaml'
    path.write_text('profile: wx250s\nbox_recorded: true\n')

    programs = started(arm='wx250s', overlay=str(path), sim=True, servo='stand_in')

    asked = {name: program.parameters.get('arm') for name, program in programs.items()}
    assert asked.pop('supervisor_node') is None
    assert set(asked.values()) == {str(path)}
    with pytest.raises(ConfigurationError, match='overlay of wx250s'):
        started(arm='panda', overlay=str(path))


def test_simulation_with_moveit_replaces_the_stand_in() -> None:
    names = list(started(arm='wx250s', sim=True))

    assert sorted(names) == sorted(['move_group', 'servo_node', 'sim_node', *OURS])


def test_a_complete_arm_brings_its_drivers_camera_and_moveit() -> None:
    programs = started(arm='panda', hardware='mock')

    assert list(programs) == ['camera', *DRIVERS, 'move_group', 'servo_node', *OURS]
    assert programs['controller_spawner'].arguments[:3] == (
        'panda_arm_controller',
        'panda_hand_controller',
        'joint_state_broadcaster',
    )
    assert 'mock_components' in programs['move_group'].parameters['robot_description']
    for program in programs.values():
        assert 'sim.yaml' not in program.files
        for file in program.files:
            assert config_path(file).is_file()


def test_a_vendors_arm_gets_servo_only() -> None:
    assert list(started(arm='fr3', camera='none')) == ['servo_node', *OURS]


def test_the_widowx_lives_in_its_namespace_and_its_driver_publishes_joints() -> None:
    programs = started(arm='wx250s')

    for name in DRIVERS:
        assert programs[name].namespace == '/wx250s'
    assert programs['controller_spawner'].arguments == (
        'arm_controller',
        'gripper_controller',
        '--controller-manager',
        '/wx250s/controller_manager',
    )
    assert programs['move_group'].remappings == (('joint_states', '/wx250s/joint_states'),)


def test_humble_has_other_names_and_files() -> None:
    programs = started(arm='panda', ros_distro='humble')

    assert programs['servo_node'].executable == 'servo_node_main'
    assert programs['controller_manager'].files == (
        'moveit/panda/ros2_controllers.yaml',
        'moveit/panda/ros2_controllers.humble.yaml',
        'moveit/panda/ros2_controllers.real.yaml',
    )
    assert 'robot_description' in programs['controller_manager'].parameters


def test_our_nodes_hear_which_arm_and_model() -> None:
    programs = started(arm='fr3', model='/models/mine')

    assert programs['controller_node'].parameters['arm'] == 'fr3'
    assert programs['perception_node'].parameters == {'arm': 'fr3', 'model': '/models/mine'}
    assert ('/wx250s/joint_states', '/joint_states') in programs['controller_node'].remappings


def test_actions_are_remapped_part_by_part() -> None:
    pairs = dict(remappings(load_arm_profile('panda')))

    name = '/wx250s/gripper_controller/gripper_cmd/_action/send_goal'
    assert pairs[name] == '/panda_hand_controller/gripper_cmd/_action/send_goal'
    assert remappings(load_arm_profile('wx250s')) == ()


@pytest.mark.parametrize(
    ('wanted', 'message'),
    [
        ({'arm': 'wx250s', 'servo': 'stand_in'}, 'stand-in moves simulated arms only'),
        ({'arm': 'panda', 'sim': True}, 'no simulation of panda, only of wx250s'),
        ({'arm': 'ur5'}, r'arms/ur5\.yaml'),
    ],
)
def test_what_is_not_there_is_refused(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        started(**wanted)


def test_a_vendors_package_that_is_missing_is_named() -> None:
    with pytest.raises(EnvironmentMissing, match='trossen_arm_moveit'):
        started(arm='wxai')


def test_driving_by_hand_is_for_the_same_arm_and_topics() -> None:
    (ours,) = teleop_programs('panda', 'joy,twist')
    assert (ours.name, ours.parameters['arm']) == ('teleop_node', 'panda')
    assert ours.parameters['devices'] == 'joy,twist'
    assert ours.remappings == remappings(load_arm_profile('panda'))

    pad, _ = teleop_programs('wx250s', 'joy', joy_node=True)
    assert (pad.package, pad.name) == ('joy', 'game_controller_node')


def test_the_recorder_hears_the_topics_of_its_arm() -> None:
    (recorder,) = recorder_programs('panda', '/data', 'jpeg')
    assert recorder.files == ('recorder.yaml',)
    assert recorder.parameters == {'arm': 'panda', 'directory': '/data', 'pictures': 'jpeg'}
    assert ('/wx250s/joint_states', '/joint_states') in recorder.remappings
    (simulated,) = recorder_programs('wx250s', 'runs', 'as_is', sim=True)
    assert simulated.files == ('recorder.yaml', 'sim.yaml')


def test_a_camera_without_its_driver_and_its_calibration(tmp_path: Path) -> None:
    direct = started(arm='fr3', camera='direct')
    film = started(arm='fr3', camera='film.mp4')
    assert list(direct) == ['camera_node', 'servo_node', *OURS]
    assert 'source' not in direct['camera_node'].parameters
    assert film['camera_node'].parameters['source'] == 'film.mp4'

    seven = (0.7, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0)
    path = tmp_path / 'camera.yaml'
    path.write_text(f'/perception_node: {{ros__parameters: {{camera_pose: {list(seven)}}}}}')
    perception = started(arm='fr3', calibration=str(path))['perception_node'].parameters

    assert perception['camera_pose_source'] == 'parameter'
    assert perception['camera_pose'] == seven
    with pytest.raises(ConfigurationError, match='magma calibrate solve'):
        started(arm='fr3', calibration=str(tmp_path / 'absent.yaml'))
