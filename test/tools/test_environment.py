import subprocess
import sys
from pathlib import Path

import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.tools import environment as tool
from magma_ros.tools.environment import (
    CHECKOUT,
    Environment,
    drop_headers,
    explain_failure,
    plan_steps,
)
from magma_ros.tools.machine import RosKind


def step_names(ros, extras=()):
    return [step.name for step in plan_steps(Environment(Path('/nowhere'), ros), extras)]


def test_pip_environment_installs_ros_and_builds_messages():
    assert step_names(RosKind.WHEELS) == [
        'virtual environment',
        'compiler',
        'pip',
        'Python packages for sim',
        'headers of Pinocchio',
        'ROS from PyPI',
        'messages PyPI lacks',
        'check',
    ]


def test_sourced_ros_needs_neither_wheels_nor_our_messages():
    assert step_names(RosKind.SOURCED) == [
        'virtual environment',
        'pip',
        'Python packages for sim',
        'headers of Pinocchio',
        'check',
    ]


def test_only_headers_of_pinocchio_are_dropped(tmp_path):
    packages = tmp_path / 'lib' / 'python3.11' / 'site-packages'
    for part in ('include', 'lib'):
        (packages / 'cmeel.prefix' / part).mkdir(parents=True)

    drop_headers(Environment(tmp_path, RosKind.WHEELS))

    assert [path.name for path in (packages / 'cmeel.prefix').iterdir()] == ['lib']


def test_extras_are_steps_of_their_own():
    assert 'Python packages for torch' in step_names(RosKind.WHEELS, ['torch'])


def test_types_of_move_group_are_built_for_tests_alone():
    assert "messages of MoveIt's planning" in step_names(RosKind.WHEELS, ['test'])
    assert "messages of MoveIt's planning" not in step_names(RosKind.WHEELS, ['serve'])


def test_script_uses_the_standard_library_only():
    # -S and -I: no site-packages, as on a machine where nothing is installed yet.
    code = f'import sys; sys.path.insert(0, {str(CHECKOUT)!r}); import magma_ros.tools.environment'

    subprocess.run([sys.executable, '-I', '-S', '-c', code], check=True)


def test_failed_command_is_reported_with_its_last_lines_and_advice(tmp_path):
    environment = Environment(tmp_path, RosKind.WHEELS)
    code = 'import sys; print("[Errno -3] Temporary failure in name resolution"); sys.exit(1)'

    with pytest.raises(EnvironmentMissing, match=r'Errno -3.*\n.*check the network'):
        environment.run([sys.executable, '-c', code])


@pytest.mark.parametrize(
    ('output', 'advice'),
    [
        ('OSError: [Errno 28] No space left on device', 'disk is full'),
        ("ModuleNotFoundError: No module named 'moveit_msgs'", 'rosdep install'),
        ('ERROR: No matching distribution found for ros-rclpy', 'check the network'),
        ('something new', '/tmp/the.log'),
    ],
)
def test_known_failures_have_advice(output, advice):
    assert advice in explain_failure(['pip', 'install'], output, Path('/tmp/the.log'))


def make_venv(directory, version=None, system_site_packages=False):
    version = version or '.'.join(str(part) for part in sys.version_info[:3])
    (directory / 'bin').mkdir(parents=True)
    (directory / 'bin' / 'pip').touch()
    (directory / 'pyvenv.cfg').write_text(
        f'include-system-site-packages = {str(system_site_packages).lower()}\n'
        f'version = {version}\n'
    )


@pytest.fixture
def created(monkeypatch):
    """Commands that would have been run to make a virtual environment."""
    commands = []
    monkeypatch.setattr(
        tool.subprocess, 'run', lambda command, **options: commands.append(command)
    )
    monkeypatch.setattr(tool.machine, 'require_venv_module', lambda: None)
    return commands


def test_a_fitting_virtual_environment_is_kept(tmp_path, created):
    make_venv(tmp_path / 'venv')

    tool.create_venv(Environment(tmp_path / 'venv', RosKind.WHEELS))

    assert created == []


def test_a_half_made_virtual_environment_is_made_again(tmp_path, created):
    make_venv(tmp_path / 'venv')
    (tmp_path / 'venv' / 'bin' / 'pip').unlink()

    tool.create_venv(Environment(tmp_path / 'venv', RosKind.WHEELS))

    assert created[0][-2:] == ['--clear', str(tmp_path / 'venv')]


def test_one_of_another_python_is_made_again(tmp_path, created):
    make_venv(tmp_path / 'venv', version='3.1.4')

    tool.create_venv(Environment(tmp_path / 'venv', RosKind.WHEELS))

    assert len(created) == 1


def test_with_a_sourced_ros_the_environment_must_see_it(tmp_path, created):
    make_venv(tmp_path / 'blind')
    make_venv(tmp_path / 'seeing', system_site_packages=True)

    tool.create_venv(Environment(tmp_path / 'seeing', RosKind.SOURCED))
    assert created == []
    tool.create_venv(Environment(tmp_path / 'blind', RosKind.SOURCED))
    assert '--system-site-packages' in created[0]


def test_the_environment_it_runs_in_is_never_deleted(tmp_path, created, monkeypatch):
    make_venv(tmp_path / 'venv')
    monkeypatch.setattr(tool.sys, 'prefix', str(tmp_path / 'venv'))

    with pytest.raises(EnvironmentMissing, match='Deactivate it'):
        tool.create_venv(Environment(tmp_path / 'venv', RosKind.SOURCED))
    assert created == []


def test_user_sees_the_message_and_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr(tool.sys, 'version_info', (3, 9, 1))
    monkeypatch.delenv('ROS_DISTRO', raising=False)

    assert tool.main([]) == 2
    assert 'Python 3.9 is not supported' in capsys.readouterr().err


def test_interrupted_run_says_that_it_can_go_on(monkeypatch, capsys, tmp_path):
    def interrupt(steps, stamp_file):
        raise KeyboardInterrupt

    monkeypatch.setattr(tool, 'carry_out', interrupt)
    monkeypatch.delenv('ROS_DISTRO', raising=False)

    assert tool.main(['--venv', str(tmp_path)]) == 130
    assert 'goes on where it stopped' in capsys.readouterr().err
