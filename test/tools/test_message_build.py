from pathlib import Path

import pytest

from magma_ros.tools.message_build import build_packages, rewrite_include_paths

EXPORTED = """set_target_properties(std_msgs PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "/opt/python/cp312-cp312/include/python3.12;\
/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy/_core/include"
)
"""


def test_include_paths_of_the_build_machine_become_ours(tmp_path):
    file = tmp_path / 'share' / 'std_msgs' / 'cmake' / 'std_msgsExport.cmake'
    file.parent.mkdir(parents=True)
    file.write_text(EXPORTED)
    ours = Path('/usr/include/python3.12'), Path('/venv/numpy/_core/include')

    assert rewrite_include_paths(tmp_path, *ours) == 1
    assert '"/usr/include/python3.12;/venv/numpy/_core/include"' in file.read_text()
    assert rewrite_include_paths(tmp_path, *ours) == 0


def make_packages(directory, *names):
    for name in names:
        (directory / name).mkdir()
        (directory / name / 'package.xml').touch()


def test_every_package_is_configured_built_and_installed(tmp_path):
    make_packages(tmp_path, 'tf2_msgs', 'control_msgs')
    venv = tmp_path / '.venv'
    commands = []

    def record(command, environment):
        commands.append(command)
        (venv / 'message_build').mkdir(parents=True, exist_ok=True)
        assert environment['AMENT_PREFIX_PATH'] == str(venv)
        assert environment['PATH'] == f'{venv}/bin:/usr/bin'

    build_packages(tmp_path, venv, {'PATH': '/usr/bin'}, record, with_planning=False)

    assert [command[1] for command in commands] == ['-G', '--build', '--install'] * 2
    assert f'-DCMAKE_INSTALL_PREFIX={venv}' in commands[0]
    assert commands[0][4].endswith('control_msgs')
    assert commands[3][4].endswith('tf2_msgs')
    assert not (venv / 'message_build').exists()


def test_interrupted_build_keeps_its_directory(tmp_path):
    make_packages(tmp_path, 'tf2_msgs')
    build = tmp_path / '.venv' / 'message_build' / 'tf2_msgs'
    build.mkdir(parents=True)

    def interrupt(command, environment):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_packages(tmp_path, tmp_path / '.venv', {}, interrupt, with_planning=False)
    assert build.exists()


def test_a_package_is_built_after_those_it_depends_on(tmp_path):
    make_packages(tmp_path, 'moveit_msgs', 'octomap_msgs')
    (tmp_path / 'moveit_msgs' / 'package.xml').write_text(
        '<package><depend>octomap_msgs</depend><depend>std_msgs</depend></package>'
    )
    built = []

    def record(command, environment):
        (tmp_path / '.venv' / 'message_build').mkdir(parents=True, exist_ok=True)
        built.append(Path(command[-1]).name)

    build_packages(tmp_path, tmp_path / '.venv', {}, record, with_planning=True)

    assert built.index('octomap_msgs') < built.index('moveit_msgs')


@pytest.mark.parametrize(
    ('with_planning', 'expected'),
    [(False, ['control_msgs', 'moveit_msgs']), (True, ['octomap_msgs', 'moveit_msgs'])],
)
def test_types_of_move_group_are_built_only_when_asked_for(tmp_path, with_planning, expected):
    make_packages(tmp_path, 'control_msgs', 'moveit_msgs', 'octomap_msgs')
    (tmp_path / 'moveit_msgs' / 'package.xml').write_text('<depend>octomap_msgs</depend>')
    configured = []

    def record(command, environment):
        (tmp_path / '.venv' / 'message_build').mkdir(parents=True, exist_ok=True)
        if command[1] == '-G':
            configured.append((Path(command[4]).name, command[-1]))

    build_packages(tmp_path, tmp_path / '.venv', {}, record, with_planning)

    option = f'-DWITH_PLANNING={"ON" if with_planning else "OFF"}'
    assert sorted(configured) == sorted((name, option) for name in expected)
