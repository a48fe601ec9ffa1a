import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.tools import machine
from magma_ros.tools.machine import RosKind


@pytest.mark.parametrize('version', [(3, 10), (3, 11), (3, 12), (3, 13)])
def test_supported_pythons(version):
    machine.require_python(version, RosKind.WHEELS)


@pytest.mark.parametrize('version', [(3, 9), (3, 14)])
def test_other_pythons_are_refused_with_a_next_step(version):
    with pytest.raises(EnvironmentMissing, match='PYTHON=python3.12'):
        machine.require_python(version, RosKind.WHEELS)


def test_a_sourced_ros_may_use_a_newer_python():
    machine.require_python((3, 14), RosKind.SOURCED)


def test_jetsons_are_told_to_source_a_ros():
    machine.require_wheel_platform('Linux', 'x86_64')
    with pytest.raises(EnvironmentMissing, match='source its setup.bash'):
        machine.require_wheel_platform('Linux', 'aarch64')


def test_missing_compiler_names_the_package(tmp_path):
    (tmp_path / 'cc').touch(mode=0o755)

    with pytest.raises(EnvironmentMissing, match=r'No C\+\+ compiler.*build-essential'):
        machine.require_compiler(path=str(tmp_path))

    (tmp_path / 'g++').touch(mode=0o755)
    machine.require_compiler(path=str(tmp_path))


def test_missing_headers_name_the_package(tmp_path):
    with pytest.raises(EnvironmentMissing, match='python3-dev'):
        machine.require_headers(tmp_path)

    (tmp_path / 'Python.h').touch()
    machine.require_headers(tmp_path)


def fake_python(directory, exit_code):
    python = directory / 'python'
    python.write_text(f'#!/bin/sh\necho "ModuleNotFoundError: rclpy" >&2\nexit {exit_code}\n')
    python.chmod(0o755)
    return str(python)


def test_ros_comes_from_pypi_unless_one_is_sourced(tmp_path):
    assert machine.detect_ros({}, fake_python(tmp_path, 1)) is RosKind.WHEELS
    assert machine.detect_ros({'ROS_DISTRO': 'jazzy'}, fake_python(tmp_path, 0)) is RosKind.SOURCED


def test_a_ros_sourced_for_another_python_is_not_mixed_with_wheels(tmp_path):
    with pytest.raises(EnvironmentMissing, match='jazzy is sourced.*ModuleNotFoundError: rclpy'):
        machine.detect_ros({'ROS_DISTRO': 'jazzy'}, fake_python(tmp_path, 1))


def test_paths_of_another_environments_wheels_are_not_inherited():
    ours = {'_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1', 'LD_LIBRARY_PATH': '/a/.venv/lib', 'HOME': '/h'}
    users = {'LD_LIBRARY_PATH': '/opt/cuda/lib'}

    assert machine.clean_environment(ours) == {'HOME': '/h'}
    assert machine.clean_environment(users) == users
