"""The controller as a process: how late it ticks beside busy processes, and what its death costs.

Real nodes around a fake arm, and a judge who reads the arm's own record instead of ROS: the rig of
``magma bench faults``. The arm sweeps at full speed all the while. Lateness is what the controller
reports of its last 1000 ticks: first with no other load than the rig, then beside one process per
core that only computes, at normal priority. After SIGKILL the stand-in of Servo, which hears
nothing any more, brings the arm to rest.
"""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import dataclass

from magma_ros.benchmarks.record import Entry
from magma_ros.faults.rig import Rig

IDLE_P99_MS, BUSY_P99_MS = 4.0, 15.0
TICKS_S = 21.0  # 1000 ticks and a little
KILLS = 3
REST_S, TRAVEL_MM = 0.35, 30.0
BEFORE_S, WATCHED_S = 0.1, 1.5


@dataclass(frozen=True)
class Death:
    """What happened after one SIGKILL; infinite: the arm never came to rest."""

    rest_s: float
    travel_m: float


def measure() -> list[Entry]:
    """Lateness idle and busy, and the worst of some deaths."""
    with Rig('policy', patience=1.0, domain_id=20 + os.getpid() % 80) as rig:
        idle_ms = lateness_ms(rig, busy_processes=0)
        busy_ms = lateness_ms(rig, busy_processes=os.cpu_count() or 1)
        deaths = [kill_controller(rig) for _ in range(KILLS)]
    travel_mm = max(death.travel_m for death in deaths) * 1e3
    return [
        Entry('controller-node-lateness-p99', idle_ms, 'ms', IDLE_P99_MS),
        Entry('controller-node-lateness-p99-busy', busy_ms, 'ms', BUSY_P99_MS),
        Entry('controller-killed-rest', max(death.rest_s for death in deaths), 's', REST_S),
        Entry('controller-killed-travel', round(travel_mm, 1), 'mm', TRAVEL_MM),
    ]


def lateness_ms(rig: Rig, busy_processes: int) -> float:
    """p99 over the last 1000 ticks, all of them beside so many busy processes."""
    rig.recover()
    rig.begin('moving')
    if busy_processes:
        rig.chaos.ask('starve', processes=busy_processes)
    time.sleep(TICKS_S)
    late_ms = float(rig.state['late_p99_ms'])
    rig.chaos.ask('relax')
    return round(late_ms, 2)


def kill_controller(rig: Rig) -> Death:
    """SIGKILL at full speed."""
    rig.recover()
    rig.begin('moving')
    since_s = time.monotonic() - BEFORE_S
    fault_s = rig.signal(signal.SIGKILL, 'controller_node')
    time.sleep(WATCHED_S)
    verdict = rig.judge.ask('verdict', since_s=since_s, fault_s=fault_s, bounds={})
    rest_s, travel_m = (
        math.inf if verdict[name] is None else verdict[name] for name in ('rest_s', 'travel_m')
    )
    return Death(round(rest_s, 3), travel_m)
