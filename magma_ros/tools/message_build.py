"""Builds the message packages PyPI lacks into a virtual environment. Standard library only.

Plain CMake does it: the packages are few, and each comes after those it depends on. ament and
rosidl come from wheels, whose exported CMake targets name the directories of the machine they were
built on; those are rewritten to this interpreter's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Protocol

# What the ROS wheels and their code generators need from the rest of PyPI.
GENERATOR_REQUIREMENTS = (
    'catkin-pkg',
    'empy<4',
    'lark-parser',
    'numpy',
    'pyyaml',
    'setuptools',
    'typing-extensions',
)
BUILD_TOOLS = ('cmake', 'ninja')
# move_group's types take minutes to compile, and there is no move_group on PyPI: tests need them.
DEMO_PACKAGES = ('control_msgs', 'moveit_msgs', 'tf2_msgs')
PLANNING_PACKAGES = ('moveit_msgs', 'object_recognition_msgs', 'octomap_msgs')

_WHEEL_PYTHON = r'/opt/python/cp3\d+-cp3\d+'
_WHEEL_NUMPY_INCLUDE = re.compile(_WHEEL_PYTHON + r'/lib/python3\.\d+/site-packages/numpy/[\w/]+')
_WHEEL_PYTHON_INCLUDE = re.compile(_WHEEL_PYTHON + r'/include/python3\.\d+')


class RunCommand(Protocol):
    """Runs a command with an environment, and raises when it fails."""

    def __call__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        """Run it."""


def rewrite_include_paths(venv: Path, python_include: Path, numpy_include: Path) -> int:
    """Point the wheels' exported CMake targets at this interpreter's headers.

    Returns:
        Number of files changed; 0 when it was done before.
    """
    changed = 0
    for file in sorted(venv.glob('share/*/cmake/*.cmake')):
        before = file.read_text(encoding='utf-8')
        after = _WHEEL_NUMPY_INCLUDE.sub(lambda _: numpy_include.as_posix(), before)
        after = _WHEEL_PYTHON_INCLUDE.sub(lambda _: python_include.as_posix(), after)
        if after != before:
            file.write_text(after, encoding='utf-8')
            changed += 1
    return changed


def build_packages(
    interfaces: Path,
    venv: Path,
    environment: Mapping[str, str],
    run: RunCommand,
    with_planning: bool,
) -> None:
    """Generate, compile and install the message packages below ``interfaces``.

    Without planning, those of ``PLANNING_PACKAGES`` that are only for move_group are left out and
    moveit_msgs holds Servo's types alone; with planning, only ``PLANNING_PACKAGES`` are built,
    over what is there. When this is interrupted the build directory stays, and the next run goes
    on in it.
    """
    build_root = venv / 'message_build'
    environment = {
        **environment,
        'AMENT_PREFIX_PATH': str(venv),
        'CMAKE_PREFIX_PATH': str(venv),
        'PATH': f'{venv / "bin"}:{environment.get("PATH", "/usr/bin:/bin")}',
    }
    wanted = PLANNING_PACKAGES if with_planning else DEMO_PACKAGES
    planning = f'-DWITH_PLANNING={"ON" if with_planning else "OFF"}'
    for source in (source for source in _in_order(interfaces) if source.name in wanted):
        for command in _commands(source, build_root / source.name, venv, planning):
            run(command, environment)
    shutil.rmtree(build_root)


def _in_order(interfaces: Path) -> list[Path]:
    """Directories of the packages, each after those it depends on."""
    sources = {file.parent.name: file.parent for file in sorted(interfaces.glob('*/package.xml'))}
    depends = {
        name: re.findall(r'<depend>(\w+)</depend>', (path / 'package.xml').read_text('utf-8'))
        for name, path in sources.items()
    }
    order = TopologicalSorter(depends).static_order()
    return [sources[name] for name in order if name in sources]


def _commands(source: Path, build: Path, venv: Path, option: str) -> list[list[str]]:
    cmake = str(venv / 'bin' / 'cmake')
    configure = [
        *(cmake, '-G', 'Ninja', '-S', str(source), '-B', str(build)),
        f'-DCMAKE_INSTALL_PREFIX={venv}',
        f'-DPython3_EXECUTABLE={venv / "bin" / "python"}',
        '-DCMAKE_BUILD_TYPE=Release',
        '-DBUILD_TESTING=OFF',
        option,
    ]
    return [configure, [cmake, '--build', str(build)], [cmake, '--install', str(build)]]
