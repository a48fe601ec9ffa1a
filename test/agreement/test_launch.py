"""Launch files, the ``magma`` command and the installed programs speak of the same nodes."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from magma_ros.nodes.node_program import (
    CAMERA_PROGRAM,
    DEMO_PROGRAMS,
    RECORDER_PROGRAM,
    TELEOP_PROGRAM,
)
from magma_ros.resources import config_path, share_directory
from magma_ros.robot.arm_profile import load_arm_profile

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = share_directory() / 'launch'
OURS = [program.name for program in DEMO_PROGRAMS]
# A checkout's launch/ directory looks like a package of that name.
has_launch = importlib.util.find_spec('launch_ros') is not None
needs_launch = pytest.mark.skipif(not has_launch, reason='launch is not on PyPI')


def test_the_magma_command_starts_the_same_list() -> None:
    pytest.importorskip('rclpy')
    from magma_ros.nodes.node_processes import NodeProcesses

    assert NodeProcesses.__init__.__defaults__ is not None
    assert NodeProcesses.__init__.__defaults__[0] is DEMO_PROGRAMS


@pytest.mark.parametrize('path', sorted(LAUNCH.glob('*.launch.py')), ids=lambda path: path.name)
def test_launch_files_name_no_node_themselves(path: Path) -> None:
    """They hand over a list of magma_ros/nodes, which tests can read without ROS's launch."""
    tree = ast.parse(path.read_text())
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {function.id for function in calls if isinstance(function, ast.Name)}

    assert 'launch_actions' in called
    assert not called & {'Node', 'LifecycleNode', 'ExecuteProcess'}


@pytest.mark.parametrize('name', ['bringup', 'teleop', 'record', 'session'])
def test_every_arm_is_offered(name: str) -> None:
    tree = ast.parse((LAUNCH / f'{name}.launch.py').read_text())
    (arguments,) = (
        ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign)
    )
    offered = {name: choices for name, _, choices, _ in arguments}

    assert sorted(offered['arm']) == sorted(path.stem for path in config_path('arms').iterdir())


def test_every_launched_node_is_installed() -> None:
    setup = (ROOT / 'setup.py').read_text()

    for program in (*DEMO_PROGRAMS, TELEOP_PROGRAM, RECORDER_PROGRAM, CAMERA_PROGRAM):
        assert f"'{program.name}'" in setup, f'setup.py does not install {program.name}'


@pytest.mark.parametrize(
    'program', [*DEMO_PROGRAMS, RECORDER_PROGRAM, CAMERA_PROGRAM], ids=lambda program: program.name
)
def test_parameter_files_have_a_section_for_their_node(program: Any) -> None:
    for name in program.files:
        sections = YAML(typ='safe').load(config_path(name).read_text())
        others = (*DEMO_PROGRAMS, RECORDER_PROGRAM, CAMERA_PROGRAM)
        wanted = {f'/{program.name}', *(f'/{other.name}' for other in others)}
        assert set(sections) <= wanted
        # sim.yaml goes to every node and speaks of those where the simulation differs.
        assert name == 'sim.yaml' or f'/{program.name}' in sections


def test_the_default_arm_has_the_names_of_the_topics() -> None:
    topics = pytest.importorskip('magma_ros.ros.topics', exc_type=ImportError)
    profile = load_arm_profile('wx250s')

    assert profile.joint_states_topic == topics.JOINT_STATES.name
    assert profile.trajectory_topic == topics.ARM_TRAJECTORY.name
    assert profile.trajectory_action == topics.FOLLOW_TRAJECTORY.name
    assert profile.gripper_name == topics.GRIPPER.name


@needs_launch
@pytest.mark.parametrize(
    ('file', 'arguments', 'expected'),
    [
        ('demo_sim', {}, OURS),
        (
            'bringup',
            {'sim': 'true', 'servo': 'stand_in'},
            OURS,
        ),
        ('teleop', {}, ['teleop_node']),
        ('record', {}, ['recorder_node']),
        ('session', {}, ['recorder_node', 'teleop_node']),
        ('teleop', {'joy_node': 'true'}, ['game_controller_node', 'teleop_node']),
        (
            'bringup',
            {'arm': 'panda', 'hardware': 'mock', 'camera': 'none'},
            ['robot_state_publisher', 'controller_manager', 'controller_spawner', 'move_group']
            + ['servo_node', *(name for name in OURS if not name.startswith(('sim_', 'servo_')))],
        ),
    ],
)
def test_ros_launch_reads_the_files(
    file: str, arguments: dict[str, str], expected: list[str]
) -> None:
    import launch_ros.actions
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    from launch import LaunchContext

    context = LaunchContext()
    context.launch_configurations.update(arguments)
    path = str(LAUNCH / f'{file}.launch.py')
    description = get_launch_description_from_python_launch_file(path)
    nodes = []
    waiting = list(description.entities)
    while waiting:
        entity = waiting.pop(0)
        if isinstance(entity, launch_ros.actions.Node):
            entity._perform_substitutions(context)  # what execute() does before it starts it
            nodes.append(entity.node_name.rsplit('/', 1)[-1])
        else:
            waiting[:0] = entity.visit(context) or []

    assert nodes == expected
