"""One of our nodes with a defect built in, from outside: the nodes themselves have no hooks.

``python -m magma_ros.faults.hooked_node controller_node crash`` runs the node; SIGUSR1 sets the
defect off. Refused unless faults are allowed (``guard.py``).
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from magma_ros.dataset.journal import Journal
from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.faults.guard import check_allowed
from magma_ros.nodes.control_tick import ControlTick
from magma_ros.nodes.prediction_loop import PredictionLoop
from magma_ros.nodes.worker_model import WorkerModel

SLOW_S = 0.3
ENDLESS = 10**12  # numbers that sum() adds up without ever letting another thread run


def _crash(_: Any) -> None:
    raise ValueError('a defect that was asked for')


def _hold_the_interpreter(_: Any) -> None:
    sum(range(ENDLESS))


def _answer_nonsense(_: Any) -> None:
    raise ModelError('the model answered with words where an action was expected')


def _cut_power(journal: Journal) -> None:
    """What was not synchronised has never been; neither has the process."""
    os.truncate(journal.path, journal.synced)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Defect:
    """What is called before which method, once it has been set off."""

    kind: type
    method: str
    call: Callable[[Any], Any]  # with whose method it is
    lasts: bool = False  # at every call from then on, not only at the next


DEFECTS: dict[tuple[str, str], Defect] = {
    ('controller_node', 'crash'): Defect(ControlTick, 'tick', _crash),
    ('controller_node', 'slow'): Defect(ControlTick, 'tick', lambda _: time.sleep(SLOW_S)),
    ('perception_node', 'hang'): Defect(PredictionLoop, '_look', _hold_the_interpreter),
    ('perception_node', 'no action'): Defect(
        WorkerModel, 'generate_action', _answer_nonsense, lasts=True
    ),
    ('recorder_node', 'power cut'): Defect(Journal, 'append', _cut_power),
}


def build_in(defect: Defect) -> threading.Event:
    """Set the event, and the defect shows at the next call."""
    armed, original = threading.Event(), getattr(defect.kind, defect.method)

    def with_defect(self: Any, *values: Any) -> Any:
        if armed.is_set():
            if not defect.lasts:
                armed.clear()
            defect.call(self)
        return original(self, *values)

    setattr(defect.kind, defect.method, with_defect)
    return armed


def main(arguments: list[str] | None = None) -> int:
    """Run the node of that name with the defect of that name."""
    node_name, defect_name = (arguments or sys.argv[1:])[:2]
    try:
        check_allowed()
        if (node_name, defect_name) not in DEFECTS:
            raise ConfigurationError(f'defects are {sorted(DEFECTS)}')
    except ConfigurationError as error:
        sys.stderr.write(f'{error}\n')
        return 2
    armed = build_in(DEFECTS[node_name, defect_name])
    module = importlib.import_module(f'magma_ros.nodes.{node_name}')
    signal.signal(signal.SIGUSR1, lambda *_: armed.set())
    return module.main()


if __name__ == '__main__':
    sys.exit(main())
