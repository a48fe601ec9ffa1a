"""The processes of the rig: started, found by what they do, signalled, started anew, ended."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.faults.guard import SWITCH
from magma_ros.faults.rig_process import RigProcess
from magma_ros.faults.rig_programs import Program, parameter_words, rig_programs
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.shared_memory import remove_orphans, segments_of

ON_CLOCK_S = 1000.0  # /clock begins here: a clock at zero counts as not set
PERIOD_S = 0.03

This = TypeVar('This', bound='RigProcesses')


class RigProcesses:
    """The processes as long as the ``with`` block lasts.

    Args:
        kind: see ``rig_programs``.
        patience: every time after which silence counts, and every bound, over its default: 1 on
            an idle machine; more where only the logic is to be seen.
        domain_id: ROS domain, one that nobody else uses.
    """

    def __init__(self, kind: str, patience: float, domain_id: int) -> None:
        self.kind, self.patience = kind, patience
        self._directory = tempfile.TemporaryDirectory(prefix='magma_faults_')
        self._logs = Path(self._directory.name)
        self.environment = {**process_environment(domain_id), SWITCH: '1'}
        self._truth = os.pipe()
        self._programs = {one.name: one for one in rig_programs(kind, patience)}
        self._instead: dict[str, list[str]] = {}  # arguments of a node with a defect
        self._segments: set[Path] = set()
        self.processes: dict[str, RigProcess] = {}
        self.notes: dict[str, Any] = {}  # from an injector to the check of its trial

    def __enter__(self: This) -> This:
        """Start everything."""
        try:
            for program in self._programs.values():
                self._start(program)
                if program.name == 'chaos':
                    self._look_around()
        except BaseException:  # Ctrl-C too: nothing may be left running
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything."""
        self.close()

    def close(self) -> None:
        """The nodes first; the judge sees them go."""
        for process in reversed(list(self.processes.values())):
            self._segments |= segments_of(process.pid)
            process.close()
        remove_orphans(self._segments)
        for descriptor in self._truth:
            os.close(descriptor)
        self._directory.cleanup()

    @property
    def directory(self) -> Path:
        """For files of a trial; it goes with the rig."""
        return self._logs

    @property
    def judge(self) -> RigProcess:
        """Reads the record."""
        return self.processes['judge']

    @property
    def arm(self) -> RigProcess:
        """The fake arm."""
        return self.processes['fake_arm']

    @property
    def policy(self) -> RigProcess:
        """The scripted policy."""
        return self.processes['perception_node']

    @property
    def camera(self) -> RigProcess:
        """The fake camera."""
        return self.processes['fake_camera']

    @property
    def operator(self) -> RigProcess:
        """The person."""
        return self.processes['operator']

    @property
    def chaos(self) -> RigProcess:
        """Applies faults, and is the witness."""
        return self.processes['chaos']

    def signal(self, number: signal.Signals, *names: str) -> float:
        """A signal to all of these at once; when."""
        pids = [self.processes[name].pid for name in names]
        for pid in pids:
            self._segments |= segments_of(pid)  # nobody can say so once it is dead
        return self.chaos.ask('signal', pids=pids, number=int(number))['at_s']

    def build_in(self, name: str, defect: str) -> None:
        """Start a node anew with a defect in it (``hooked_node.py``), for one trial."""
        self._end(name)
        self._instead[name] = ['-m', 'magma_ros.faults.hooked_node', name, defect]
        self._start(self._programs[name])

    def restart(self, name: str, parameters: dict[str, Any]) -> None:
        """Start a node anew with more parameters, for one trial."""
        self._end(name)
        self._instead[name] = ['-m', f'magma_ros.nodes.{name}']
        words = (*self._programs[name].words, *parameter_words(parameters))
        self._start(replace(self._programs[name], words=words))

    def restart_all(self, names: Sequence[str]) -> None:
        """Kill them all, then start them in this order."""
        self.signal(signal.SIGKILL, *names)
        for name in names:
            self.processes[name].close()
            self._start(self._programs[name])

    def start_node(
        self, node_name: str, words: tuple[str, ...], label: str, defect: str = ''
    ) -> RigProcess:
        """One more node beside those of the rig; it ends with the rig or ``recover()``."""
        program = [f'magma_ros.nodes.{node_name}']
        if defect:
            program = ['magma_ros.faults.hooked_node', node_name, defect]
        process = self._popen(label, ['-m', *program, *words])
        self.processes[label] = process
        return process

    @property
    def state(self) -> dict[str, str]:
        """What the controller said last."""
        return self.chaos.ask('state')['state']

    def wait(self, is_so: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Until something is so.

        Raises:
            EnvironmentMissing: it did not become so.
        """
        deadline_s = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline_s:
                state = self.state if 'chaos' in self.processes else {}
                raise EnvironmentMissing(f'no {what} within {timeout_s:.0f} s; state {state}')
            time.sleep(PERIOD_S)

    def _look_around(self) -> None:
        """Nobody else may be in this domain, and /clock must be there before who lives by it."""
        if strangers := self.chaos.ask('strangers')['names']:
            raise ConfigurationError(
                f'ROS domain {self.environment["ROS_DOMAIN_ID"]} has {", ".join(strangers)} '
                'already; stop those first'
            )
        if self.kind == 'clock':
            self.chaos.ask('clock', set_s=ON_CLOCK_S)

    def _start(self, program: Program) -> None:
        name = program.name
        module = f'magma_ros.faults.{program.module}'
        if not program.module:
            module = f'magma_ros.nodes.{program.name}'
        instead = self._instead.get(name, ['-m', module])
        descriptors = [self._truth[0]] * program.reads_truth + [
            self._truth[1]
        ] * program.writes_truth
        truth = [f'--truth-fd={one}' for one in descriptors]
        words = [*instead, *truth, *program.words]
        self.processes[name] = self._popen(name, words, program.is_told, descriptors)
        if program.is_prompt:
            self.processes[name].claim_real_time()

    def _popen(
        self,
        name: str,
        arguments: list[str],
        is_told: bool = False,
        descriptors: list[int] | None = None,
    ) -> RigProcess:
        log = self._logs / f'{name}.log'
        return RigProcess(name, arguments, self.environment, log, is_told, descriptors or ())

    def _end(self, name: str) -> None:
        process: Any = self.processes[name]
        self._segments |= segments_of(process.pid)
        process.close()
