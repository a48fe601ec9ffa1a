"""What goes wrong around the nodes: signals, foreign messages, floods, a busy machine.

Also the witness: it keeps what ``/magma/state`` said and when, whoever else has died.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections import deque
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from magma_ros.faults.chaos_messages import ChaosMessages
from magma_ros.faults.guard import FAKE_ARM, check_allowed
from magma_ros.faults.rig_commands import CommandServer, Handler
from magma_ros.ros import topics
from magma_ros.ros.node_process import run_node
from magma_ros.ros.status_messages import status_values

BUSY = 'while True: pass'
DISCOVERY_S = 15.0
STRANGERS_S = 1.5  # until the nodes of a domain are known


class Chaos(Node):
    """Applies one fault when told, and says when it did."""

    def __init__(self) -> None:
        check_allowed()
        super().__init__('chaos')
        self._states: deque[tuple[float, dict[str, str]]] = deque(maxlen=10_000)
        self._busy: list[subprocess.Popen] = []
        topics.STATE.subscribe(self, self._on_state)
        messages = ChaosMessages(self)
        faults: dict[str, Handler] = {
            'signal': self._signal,
            'starve': self._starve,
            'squeeze': self._squeeze,
            **messages.handlers(),
        }
        self._commands = CommandServer(
            {
                **{name: self._guarded(fault) for name, fault in faults.items()},
                'strangers': self._strangers,
                'relax': self._relax,
                'state': self._state,
                'history': self._history,
            }
        )
        self._commands.start()

    @property
    def has_failed(self) -> bool:
        """Whether the runner has gone."""
        return not self._commands.is_alive

    def close(self) -> None:
        """Leave the machine as it was."""
        self._relax()

    def _guarded(self, fault: Handler) -> Handler:
        def inject(**values: Any) -> Any:
            check_allowed(self._arm_publishers())
            return fault(**values)

        return inject

    def _arm_publishers(self) -> list[str]:
        """Who publishes joint states; names take a moment to be discovered."""
        deadline_s = time.monotonic() + DISCOVERY_S
        while True:
            found = self.get_publishers_info_by_topic(topics.JOINT_STATES.name)
            names = [one.node_name for one in found]
            if set(names) == {FAKE_ARM} or time.monotonic() > deadline_s:
                return names
            time.sleep(0.05)

    # ---------------------------------------------------------------------------------- faults

    def _signal(self, pids: list[int], number: int) -> dict[str, Any]:
        """A signal to all of them at once."""
        at_s = time.monotonic()
        for pid in pids:
            os.kill(pid, signal.Signals(number))
        return {'at_s': at_s}

    def _starve(self, processes: int) -> None:
        """Processes that only compute, until ``relax``."""
        self._busy += [subprocess.Popen([sys.executable, '-c', BUSY]) for _ in range(processes)]

    def _squeeze(self, pid: int) -> None:
        """No more memory for that process than it has."""
        with open(f'/proc/{pid}/statm') as file:
            size = int(file.read().split()[0]) * os.sysconf('SC_PAGE_SIZE')
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))

    def _relax(self) -> None:
        """Nothing is starved any more."""
        for process in self._busy:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        self._busy.clear()

    def _strangers(self) -> dict[str, Any]:
        """Other nodes of this domain than the rig's first ones."""
        time.sleep(STRANGERS_S)
        return {'names': sorted(set(self.get_node_names()) - {FAKE_ARM, self.get_name()})}

    # --------------------------------------------------------------------------------- witness

    def _on_state(self, message: DiagnosticStatus) -> None:
        self._states.append((time.monotonic(), status_values(message)))

    def _state(self) -> dict[str, Any]:
        """What the controller said last."""
        if not self._states:
            return {'state': {}, 'heard_s': None}
        heard_s, values = self._states[-1]
        return {'state': values, 'heard_s': heard_s}

    def _history(self, since_s: float) -> dict[str, Any]:
        """Times, modes and reasons since then, one entry for each change."""
        told: list[tuple[float, str, str]] = []
        for at_s, values in list(self._states):
            entry = (at_s, values['mode'], values['reason'])
            if at_s >= since_s and (not told or told[-1][1:] != entry[1:]):
                told.append(entry)
        return {'history': told}


def main() -> int:
    """Wait for orders until the runner has gone."""
    return run_node(Chaos)


if __name__ == '__main__':
    sys.exit(main())
