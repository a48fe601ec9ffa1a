"""What this machine has for the environment: Python, compiler, headers, ROS. Stdlib only."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from magma_ros.errors import EnvironmentMissing

OLDEST_PYTHON = (3, 10)
NEWEST_PYTHON_WITH_WHEELS = (3, 13)


class RosKind(Enum):
    """Where ROS comes from."""

    SOURCED = 'sourced'
    WHEELS = 'wheels'


def require_python(version: tuple[int, int], ros: RosKind) -> None:
    """Check the interpreter's version.

    Raises:
        EnvironmentMissing: older than 3.10, or newer than the ROS wheels on PyPI.
    """
    newest = NEWEST_PYTHON_WITH_WHEELS if ros is RosKind.WHEELS else (3, 99)
    if OLDEST_PYTHON <= version <= newest:
        return
    raise EnvironmentMissing(
        f'Python {version[0]}.{version[1]} is not supported: ROS from PyPI needs 3.10 to 3.13. '
        'Name another interpreter: make environment PYTHON=python3.12'
    )


def require_wheel_platform(system: str, machine: str) -> None:
    """Check that PyPI has ROS wheels for this kind of machine.

    Raises:
        EnvironmentMissing: it has none; ROS has to be installed and sourced.
    """
    if (system, machine) == ('Linux', 'x86_64'):
        return
    raise EnvironmentMissing(
        f'PyPI has ROS wheels for Linux on x86_64, not for {system} on {machine}. Install ROS 2 '
        '(https://docs.ros.org), source its setup.bash and run this again; it is then used.'
    )


def require_venv_module() -> None:
    """Check that ``python -m venv`` can work.

    Raises:
        EnvironmentMissing: Debian and Ubuntu ship it as a package of its own.
    """
    probe = subprocess.run([sys.executable, '-c', 'import ensurepip, venv'], capture_output=True)
    if probe.returncode:
        raise EnvironmentMissing(
            'Python cannot make virtual environments here. '
            f'Install python{sys.version_info[0]}.{sys.version_info[1]}-venv with your package '
            'manager (Debian, Ubuntu: sudo apt install python3-venv) and run this again.'
        )


def require_compiler(path: str | None = None) -> None:
    """Check for C and C++ compilers on ``path`` (None: ``PATH``).

    Raises:
        EnvironmentMissing: one is not there.
    """
    missing = [
        name
        for name, programs in (('C', ('cc', 'gcc', 'clang')), ('C++', ('c++', 'g++', 'clang++')))
        if not any(shutil.which(program, path=path) for program in programs)
    ]
    if missing:
        raise EnvironmentMissing(
            f'No {" or ".join(missing)} compiler found; the ROS messages that PyPI lacks are '
            'compiled here. Debian, Ubuntu: sudo apt install build-essential'
        )


def require_headers(include_directory: Path) -> None:
    """Check for the headers of the interpreter.

    Raises:
        EnvironmentMissing: ``Python.h`` is not there.
    """
    if not (include_directory / 'Python.h').is_file():
        raise EnvironmentMissing(
            f'{include_directory}/Python.h is missing; the ROS messages that PyPI lacks are '
            'compiled here. Debian, Ubuntu: sudo apt install python3-dev'
        )


def detect_ros(environment: Mapping[str, str], python: str = sys.executable) -> RosKind:
    """Tell whether a ROS installation is sourced and usable from ``python``.

    Raises:
        EnvironmentMissing: one is sourced, but not for this interpreter. Wheels would not help:
            the sourced paths would be mixed with them.
    """
    if 'ROS_DISTRO' not in environment:
        return RosKind.WHEELS
    probe = subprocess.run(
        [python, '-c', 'import rclpy'], env=dict(environment), capture_output=True, text=True
    )
    if probe.returncode == 0:
        return RosKind.SOURCED
    reason = (probe.stderr.strip().splitlines() or ['no reason given'])[-1]
    raise EnvironmentMissing(
        f'ROS {environment["ROS_DISTRO"]} is sourced, but {python} cannot import rclpy '
        f'({reason}). Use the Python that ROS was built for (make environment '
        'PYTHON=/usr/bin/python3), or start a shell without ROS to use ROS from PyPI.'
    )


def describe_platform() -> tuple[str, str]:
    """Operating system and processor family, such as ``('Linux', 'x86_64')``."""
    return platform.system(), platform.machine()


def clean_environment(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment without what the ROS wheels of another virtual environment left in it.

    Their start-up hook runs the interpreter again with ``LD_LIBRARY_PATH`` set and marks that;
    a child from another virtual environment would inherit mark and path, and find wrong libraries.
    """
    environment = dict(inherited)
    if environment.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None):
        environment.pop('LD_LIBRARY_PATH', None)
    return environment
