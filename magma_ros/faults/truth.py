"""The fake arm's own record of what it was told and what it did, on a pipe outside of ROS.

A line is a JSON list, a sample: time (monotonic, s), then the joints as commanded and as they are
(rad); or a JSON object, an event: ``{"at_s": ..., "event": name, "value": ...}``.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import FloatArray


@dataclass(frozen=True)
class Sample:
    """One instant of the arm."""

    at_s: float
    commanded_rad: FloatArray  # (dof,)
    true_rad: FloatArray  # (dof,)


@dataclass(frozen=True)
class Event:
    """Something that happened: ``refused``, ``impossible``, ``gripper``, ``told``.

    ``told`` is a trajectory that was taken; its value: the speed at its end, rad/s of all joints.
    """

    at_s: float
    name: str
    value: float = 0.0


class TruthWriter:
    """Writes whole lines; threads may share it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._lock = descriptor, threading.Lock()

    def sample(self, sample: Sample) -> None:
        """Write down an instant."""
        self._write([sample.at_s, *sample.commanded_rad.tolist(), *sample.true_rad.tolist()])

    def event(self, event: Event) -> None:
        """Write down what happened."""
        self._write({'at_s': event.at_s, 'event': event.name, 'value': event.value})

    def _write(self, value: object) -> None:
        with self._lock:
            os.write(self._descriptor, (json.dumps(value) + '\n').encode())


def read_truth(lines: Iterable[str]) -> Iterator[Sample | Event]:
    """Samples and events as they come; what is not finite stays so."""
    for line in lines:
        value = json.loads(line)
        if isinstance(value, dict):
            yield Event(value['at_s'], value['event'], value.get('value', 0.0))
        else:
            dof = (len(value) - 1) // 2
            yield Sample(value[0], np.array(value[1 : dof + 1]), np.array(value[dof + 1 :]))
