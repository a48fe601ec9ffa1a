"""The processes of the rig as the runner holds them: started, told, signalled, ended."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from magma_ros.errors import EnvironmentMissing
from magma_ros.ros.real_time import PRIORITY

ANSWER_S = 60.0
LEAVE_S = 5.0


class RigProcess:
    """One process, with its own PID and a file with what it printed.

    Args:
        name: of the node, and of the log.
        arguments: of the Python interpreter.
        environment: complete.
        log: file for its standard error, and its output unless ``is_told``.
        is_told: it is one of ours and answers commands (``rig_commands.py``).
        pass_fds: file descriptors it inherits.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        is_told: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name, self._log = name, log
        self._answers: queue.Queue[str] = queue.Queue()
        with log.open('ab') as file:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                env=dict(environment),
                stdin=subprocess.PIPE if is_told else subprocess.DEVNULL,
                stdout=subprocess.PIPE if is_told else file,
                stderr=file,
                pass_fds=tuple(pass_fds),
                start_new_session=True,  # Ctrl-C is for the runner
                text=True,
            )
        if is_told:
            threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    @property
    def log(self) -> str:
        """Everything it printed, and its predecessors of the same name."""
        return self._log.read_text(errors='replace')

    @property
    def resident_bytes(self) -> int:
        """Memory in use, as Linux counts it."""
        pages = Path(f'/proc/{self.pid}/statm').read_text().split()[1]
        return int(pages) * os.sysconf('SC_PAGE_SIZE')

    def claim_real_time(self) -> None:
        """Before other processes, where that is allowed; its threads will inherit it."""
        with contextlib.suppress(PermissionError, AttributeError):  # macOS has no such call
            os.sched_setscheduler(self.pid, os.SCHED_FIFO, os.sched_param(PRIORITY))

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        """Tell it something; what it answers.

        Raises:
            EnvironmentMissing: it has gone, does not answer, or refuses; the message says why.
        """
        assert self._process.stdin is not None, f'{self.name} takes no commands'
        try:
            self._process.stdin.write(json.dumps({'do': do, **values}) + '\n')
            self._process.stdin.flush()
            answer = json.loads(self._answers.get(timeout=ANSWER_S))
        except (queue.Empty, BrokenPipeError) as error:
            last = '\n'.join(self.log.splitlines()[-8:])
            raise EnvironmentMissing(
                f'{self.name} of the rig does not answer to {do}; it said:\n{last}'
            ) from error
        if 'error' in answer:
            raise EnvironmentMissing(f'{self.name} of the rig, {do}: {answer["error"]}')
        return answer

    def send(self, number: signal.Signals) -> None:
        """A signal, if there is still somebody to get it."""
        if self.exit_code is None:
            self._process.send_signal(number)

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code; None when it still runs."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """End it: politely, then for certain."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGINT)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # killed with a command on the way
                self._process.stdin.close()
        if self.wait(LEAVE_S) is None:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith('{'):
                self._answers.put(line)
