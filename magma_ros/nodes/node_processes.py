"""Starts the nodes of the demo as processes, waits until they live, and ends them in order.

For machines that have no ``ros2 launch``; launch/demo_sim.launch.py starts the same list.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.nodes.node_program import DEMO_PROGRAMS, NodeProgram
from magma_ros.resources import config_path
from magma_ros.ros.operator_client import OperatorClient
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.shared_memory import remove_orphans, segments_of

READY_S = 40.0
INTERRUPT_S = 4.0  # time a node gets to leave by itself
LOG_LINES = 12


class NodeProcesses:
    """The nodes as long as the ``with`` block lasts.

    Args:
        programs: which nodes.
        parameters: by node, over what the files say.
        domain_id: ROS domain; None keeps the inherited one.
        log_directory: what the nodes print; None: a temporary one, removed at the end.
        ready_s: time for all of them to come to life.
    """

    def __init__(
        self,
        programs: Sequence[NodeProgram] = DEMO_PROGRAMS,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        domain_id: int | None = None,
        log_directory: Path | None = None,
        ready_s: float = READY_S,
    ) -> None:
        self._programs, self._parameters = tuple(programs), parameters or {}
        self._domain_id, self._ready_s = _checked_domain(domain_id), ready_s
        self._own_directory: tempfile.TemporaryDirectory | None = None
        if log_directory is None:
            self._own_directory = tempfile.TemporaryDirectory(prefix='magma_ros_')
            log_directory = Path(self._own_directory.name)
        self._log_directory = log_directory
        self._processes: dict[str, subprocess.Popen] = {}
        self._segments: set[Path] = set()

    def __enter__(self) -> NodeProcesses:
        """Starts the nodes and waits until all of them are alive.

        Raises:
            ConfigurationError: the domain is impossible or has such nodes already.
            EnvironmentMissing: a node ended or stayed silent; the message has its last lines.
        """
        try:
            self._start()
        except BaseException:  # Ctrl-C too: no node may be left running
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the nodes."""
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by node."""
        return {name: process.pid for name, process in self._processes.items()}

    def check(self) -> None:
        """Raise EnvironmentMissing if a node has ended; the message has its last lines."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise EnvironmentMissing(
                    f'{name} has ended with code {process.returncode}. It said:\n{self.log(name)}'
                )

    def log(self, name: str) -> str:
        """The last lines of what a node printed."""
        lines = (self._log_directory / f'{name}.log').read_text(errors='replace').splitlines()
        return '\n'.join(lines[-LOG_LINES:])

    def stop(self) -> None:
        """End the controller first, because it brakes; then the others; then whoever is left."""
        names = list(self._processes)
        for group in (['controller_node'], [n for n in names if n != 'controller_node']):
            self._interrupt([self._processes[name] for name in group if name in names])
        self._processes.clear()
        remove_orphans(self._segments)
        if self._own_directory is not None:
            self._own_directory.cleanup()

    def _start(self) -> None:
        environment = process_environment(self._domain_id)
        self._log_directory.mkdir(parents=True, exist_ok=True)
        with OperatorClient(self._domain_id) as client:
            taken = client.running_nodes() & {program.name for program in self._programs}
            if taken:
                raise ConfigurationError(
                    f'ROS domain {self._domain_id} has {", ".join(sorted(taken))} already; '
                    'stop that one or choose another domain with ROS_DOMAIN_ID'
                )
            for program in self._programs:
                self._processes[program.name] = self._popen(program, environment)
            self._wait(client)
        for process in self._processes.values():
            self._segments |= segments_of(process.pid)

    def _popen(self, program: NodeProgram, environment: Mapping[str, str]) -> subprocess.Popen:
        files = [str(config_path(name)) for name in program.files]
        given = self._parameters.get(program.name, {})
        options = [word for file in files for word in ('--params-file', file)]
        options += [
            word for name, value in given.items() for word in ('-p', f'{name}:={_yaml(value)}')
        ]
        with (self._log_directory / f'{program.name}.log').open('wb') as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    '-m',
                    f'magma_ros.nodes.{program.name}',
                    '--ros-args',
                    *options,
                ],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we end them in order
            )

    def _wait(self, client: OperatorClient) -> None:
        names = [program.name for program in self._programs]
        deadline_s = time.monotonic() + self._ready_s
        while missing := client.missing_heartbeats(names):
            self.check()
            if time.monotonic() > deadline_s:
                said = self.log(missing[0])
                raise EnvironmentMissing(
                    f'{", ".join(missing)} not alive after {self._ready_s:.0f} s. '
                    f'{missing[0]} said:\n{said or "nothing"}'
                )
            client.spin(0.1)

    def _interrupt(self, processes: Sequence[subprocess.Popen]) -> None:
        for process in processes:
            if process.poll() is None:
                self._segments |= segments_of(process.pid)
                process.send_signal(signal.SIGINT)
        deadline_s = time.monotonic() + INTERRUPT_S
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline_s - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()


def _checked_domain(domain_id: int | None) -> int:
    text = os.environ.get('ROS_DOMAIN_ID', '') or '0'
    if domain_id is None and not text.isdecimal():
        raise ConfigurationError(f'ROS_DOMAIN_ID is {text!r}; it must be a number from 0 to 101')
    domain = int(text) if domain_id is None else domain_id
    process_environment(domain)
    return domain


def _yaml(value: Any) -> str:
    """A value as the command line of ROS reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(_yaml(item) for item in value)}]'
    return repr(value)
