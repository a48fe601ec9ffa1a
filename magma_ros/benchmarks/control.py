"""All that the controller promises in numbers; some minutes, most of them for the fuzzing."""

from __future__ import annotations

from magma_ros.benchmarks import (
    control_lateness,
    controller_process,
    demonstration_tracking,
    envelope_fuzz,
    smoothing_lag,
    stop_cases,
)
from magma_ros.benchmarks.record import Entry


def measure(actions: int = envelope_fuzz.ACTIONS) -> list[Entry]:
    """What needs the machine for itself comes first. ``actions``: of the fuzzing, for each arm."""
    return [
        *control_lateness.measure(),
        *controller_process.measure(),
        *demonstration_tracking.measure(),
        *smoothing_lag.measure(),
        *stop_cases.measure(),
        *envelope_fuzz.measure(actions),
    ]
