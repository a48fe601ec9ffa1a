"""Makes the environment the demo and tests run in: ``python3 -m magma_ros.tools.environment``.

Runs before anything is installed: standard library only, no root, no environment variables. It
makes a virtual environment, installs the package with its requirements and ROS from PyPI, builds
the messages PyPI lacks (``interfaces/``) and checks that all of it can be imported. Where a ROS
installation is sourced, that one is used instead of the wheels.

Each finished step is noted with a digest of what went into it, in ``magma_environment.json`` in
the virtual environment. An interrupted run goes on at the step it was in; a run with nothing to
do takes a fraction of a second.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from magma_ros.errors import EnvironmentMissing, MagmaError
from magma_ros.tools import machine, message_build
from magma_ros.tools.machine import RosKind
from magma_ros.tools.resumable_steps import Step, carry_out, digest_files, digest_text

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_VENV = CHECKOUT / '.venv'
INTERFACES = CHECKOUT / 'interfaces'
WHEEL_LIST = INTERFACES / 'ros_wheels.txt'

# Extras of setup.py: what the demo needs, and what may be asked for.
DEMO_EXTRAS = ('sim',)
OPTIONAL_EXTRAS = (
    'data',
    'finetune',
    'realsense',
    'serve',
    'sessions',
    'teleop',
    'test',
    'torch',
    'video',
)

IMPORTED_MODULES = (
    'rclpy',
    'std_msgs.msg',
    'tf2_msgs.msg',
    'control_msgs.action',
    'control_msgs.msg',
    'moveit_msgs.msg',
    'moveit_msgs.srv',
    'magma_ros.resources',
)

# Output of a failed command -> what the user can do.
ADVICE = (
    (
        r"No module named '(\w+_msgs|rclpy)",
        'ROS lacks a package: rosdep install --from-paths . --ignore-src, then run this again.',
    ),
    (r'No space left on device', 'The disk is full: free some space and run this again.'),
    (
        r'name resolution|Network is unreachable|NewConnectionError|Could not fetch URL'
        r'|Could not find a version|No matching distribution',
        'A package could not be downloaded: check the network (and PIP_INDEX_URL or the proxy '
        'settings, if you use them) and run this again; it goes on where it stopped.',
    ),
)


@dataclass(frozen=True)
class Environment:
    """The virtual environment to make, and how its commands are run."""

    venv: Path
    ros: RosKind
    variables: Mapping[str, str] = field(default_factory=machine.clean_environment)

    @property
    def python(self) -> str:
        """Interpreter of the virtual environment."""
        return str(self.venv / 'bin' / 'python')

    @property
    def stamp_file(self) -> Path:
        """Where the finished steps are noted."""
        return self.venv / 'magma_environment.json'

    def run(self, command: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
        """Run a command with its output in a log file.

        Raises:
            EnvironmentMissing: it failed; the message has its last lines and what to do.
        """
        log = self.venv / 'magma_environment.log'
        with log.open('w', encoding='utf-8') as output:
            result = subprocess.run(
                list(command),
                env=dict(variables or self.variables),
                cwd=CHECKOUT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if result.returncode:
            text = log.read_text(encoding='utf-8', errors='replace')
            raise EnvironmentMissing(explain_failure(command, text, log))

    def evaluate(self, expression: str) -> str:
        """Value of a Python expression over numpy, as text, in the virtual environment."""
        code = f'import numpy; print({expression})'
        result = subprocess.run(
            [self.python, '-c', code],
            env=dict(self.variables),
            capture_output=True,
            text=True,
            check=True,
        )
        return result.stdout.strip()

    def pip_install(self, *arguments: str) -> None:
        """``pip install`` in the virtual environment; byte code (100 MB) is made when imported."""
        self._pip('install', '--no-compile', *arguments)

    def pip_uninstall(self, *packages: str) -> None:
        """``pip uninstall`` in the virtual environment."""
        self._pip('uninstall', '--yes', *packages)

    def _pip(self, *arguments: str) -> None:
        self.run([self.python, '-m', 'pip', '--disable-pip-version-check', *arguments])


def explain_failure(command: Sequence[str], output: str, log: Path) -> str:
    """Message for a failed command: its last lines, and advice where the cause is a known one."""
    tail = '\n'.join(f'    {line}' for line in output.strip().splitlines()[-12:])
    known = (advice for pattern, advice in ADVICE if re.search(pattern, output))
    advice = next(known, f'All of its output is in {log}.')
    return f'{" ".join(command[:5])} ... failed:\n{tail}\n{advice}'


def plan_steps(environment: Environment, extras: Collection[str]) -> list[Step]:
    """Steps that make the environment, in order."""
    made_for = f'Python {sys.version_info[0]}.{sys.version_info[1]}, {environment.ros.value}'
    description = digest_files([CHECKOUT / name for name in ('setup.py', 'pyproject.toml')])
    steps = [
        Step('virtual environment', made_for, lambda: create_venv(environment)),
        # The resolver of pip 22 and 23, which Python 3.10 brings, does not find a solution.
        Step('pip', made_for, lambda: environment.pip_install('--upgrade', 'pip')),
        *(
            Step(f'Python packages for {extra}', description, _installing(environment, extra))
            for extra in (*DEMO_EXTRAS, *sorted(extras))
        ),
        Step('headers of Pinocchio', description, lambda: drop_headers(environment)),
    ]
    if environment.ros is RosKind.WHEELS:
        # Before anything large is downloaded.
        steps.insert(1, Step('compiler', made_for, require_build_tools))
        wheels = digest_files([WHEEL_LIST])
        messages = digest_files([WHEEL_LIST, *INTERFACES.rglob('*')])
        steps.append(Step('ROS from PyPI', wheels, lambda: install_wheels(environment)))
        steps.append(Step('messages PyPI lacks', messages, _building(environment, False)))
        if 'test' in extras:
            steps.append(
                Step("messages of MoveIt's planning", messages, _building(environment, True))
            )
    everything = digest_text(repr([(step.name, step.digest) for step in steps]))
    return [*steps, Step('check', everything, lambda: verify_imports(environment))]


def create_venv(environment: Environment) -> None:
    """Make the virtual environment, or keep one that fits.

    Raises:
        EnvironmentMissing: Python has no venv module, or the environment to replace is the one
            this runs in.
    """
    sourced = environment.ros is RosKind.SOURCED
    if _fits(environment.venv, sees_system=sourced):
        return
    if Path(sys.prefix) == environment.venv:
        raise EnvironmentMissing(
            f'ROS is sourced, but the active virtual environment {environment.venv} cannot see '
            'it. Deactivate it and run this again; an environment that can is then made.'
        )
    machine.require_venv_module()
    options = ['--clear', *(['--system-site-packages'] if sourced else [])]
    subprocess.run([sys.executable, '-m', 'venv', *options, str(environment.venv)], check=True)


def require_build_tools() -> None:
    """Check that messages can be compiled here.

    Raises:
        EnvironmentMissing: there is no wheel for this machine, no compiler, or no Python header.
    """
    machine.require_wheel_platform(*machine.describe_platform())
    machine.require_compiler()
    machine.require_headers(Path(sysconfig.get_paths()['include']))


def drop_headers(environment: Environment) -> None:
    """Delete the C++ headers in Pinocchio's wheels: 200 MB that nothing here compiles against."""
    for headers in environment.venv.glob('lib/python*/site-packages/cmeel.prefix/include'):
        shutil.rmtree(headers)


def install_wheels(environment: Environment) -> None:
    """Install ROS from PyPI, with what its code generators need."""
    environment.pip_install(*message_build.GENERATOR_REQUIREMENTS)
    # The list is complete; the wheels' own dependencies would add linters that build nothing.
    environment.pip_install('--no-deps', '-r', str(WHEEL_LIST))


def build_messages(environment: Environment, with_planning: bool) -> None:
    """Build the messages PyPI lacks into the virtual environment."""
    python_include = Path(sysconfig.get_paths()['include'])
    numpy_include = Path(environment.evaluate('numpy.get_include()'))
    message_build.rewrite_include_paths(environment.venv, python_include, numpy_include)
    environment.pip_install(*message_build.BUILD_TOOLS)
    message_build.build_packages(
        INTERFACES, environment.venv, environment.variables, environment.run, with_planning
    )
    # 90 MB that nothing else needs.
    environment.pip_uninstall(*message_build.BUILD_TOOLS)


def verify_imports(environment: Environment) -> None:
    """Import rclpy, the messages and this package in the finished environment.

    Raises:
        EnvironmentMissing: one of them cannot be imported.
    """
    environment.run([environment.python, '-c', f'import {", ".join(IMPORTED_MODULES)}'])


def _fits(venv: Path, sees_system: bool) -> bool:
    settings = venv / 'pyvenv.cfg'
    # pip comes last: an environment whose making was interrupted does not have it.
    if not (settings.is_file() and (venv / 'bin' / 'pip').exists()):
        return False
    text = settings.read_text(encoding='utf-8').lower()
    same_version = f'version = {sys.version_info[0]}.{sys.version_info[1]}.' in text
    return same_version and (not sees_system or 'system-site-packages = true' in text)


def _installing(environment: Environment, extra: str) -> Callable[[], None]:
    def install() -> None:
        limits: list[str] = []
        # The message extensions of a ROS built for numpy 1 do not load with numpy 2.
        if environment.ros is RosKind.SOURCED:
            numpy_1 = environment.evaluate('numpy.__version__').startswith('1.')
            limits = ['numpy<2'] if numpy_1 else []
        environment.pip_install(*limits, '-e', f'{CHECKOUT}[{extra}]')

    return install


def _building(environment: Environment, with_planning: bool) -> Callable[[], None]:
    return lambda: build_messages(environment, with_planning)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the environment; 0 when it is ready."""
    parser = argparse.ArgumentParser(description='Makes the environment magma_ros runs in.')
    parser.add_argument('--venv', type=Path, default=DEFAULT_VENV, help='default: %(default)s')
    parser.add_argument(
        '--extras',
        nargs='*',
        default=[],
        choices=OPTIONAL_EXTRAS,
        help='extras of setup.py to install beyond what the demo needs',
    )
    options = parser.parse_args(arguments)
    try:
        ros = machine.detect_ros(os.environ)
        machine.require_python(sys.version_info[:2], ros)
        environment = Environment(options.venv.absolute(), ros)
        count = carry_out(plan_steps(environment, options.extras), environment.stamp_file)
    except MagmaError as error:
        print(f'\nmagma environment: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('\nInterrupted; run it again and it goes on where it stopped.', file=sys.stderr)
        return 130
    if count:
        print(f'The environment in {environment.venv} is ready (ROS: {ros.value}).')
    return 0


if __name__ == '__main__':
    sys.exit(main())
