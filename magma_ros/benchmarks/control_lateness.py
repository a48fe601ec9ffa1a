"""How late the control loop's ticks begin: the real tick work at 50 Hz in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np

from magma_ros.benchmarks.record import Entry

SECONDS = 10.0
PERIOD_S = 0.02
GOAL_P99_MS = 4.0


def measure() -> list[Entry]:
    """p99 of the lateness, against an empty loop of the same kind in the same seconds."""
    processes = [
        subprocess.Popen(
            [sys.executable, '-m', 'magma_ros.benchmarks.control_lateness', kind],
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in ('command', 'empty')
    ]
    command, empty = (json.loads(process.communicate()[0]) for process in processes)
    return [
        Entry('control-lateness-p99', command['p99_ms'], 'ms', GOAL_P99_MS),
        Entry('control-lateness-p99-empty-loop', empty['p99_ms'], 'ms', GOAL_P99_MS),
        Entry('control-missed-ticks', command['missed'], 'ticks', 0),
    ]


def _run(kind: str) -> None:
    from magma_ros.data_types import ArmState, DeltaChunk, EndEffectorDelta, MotionLimits
    from magma_ros.pipeline import MotionMemory, command
    from magma_ros.robot.arm_profile import load_arm_profile
    from magma_ros.ros.deadline_loop import DeadlineLoop

    profile = load_arm_profile('wx250s')
    kinematics = profile.kinematics()
    joints = np.array(profile.start_joints_rad)
    arm = ArmState(joints, np.zeros(6), kinematics.forward(joints), 1.0, 0)
    memory = MotionMemory.at_rest(arm)
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if kind == 'empty':
            return
        now_ns = time.monotonic_ns()
        state = ArmState(joints, np.zeros(6), kinematics.forward(joints), 1.0, now_ns)
        sign = 1 if ticks // 50 % 2 else -1
        delta = EndEffectorDelta(np.array([0.01 * sign, 0.0, 0.0]), np.zeros(3), 1.0)
        stamp_ns = now_ns - 50_000_000
        chunk = DeltaChunk((delta,), 0.2, stamp_ns, 'measured', profile.base_link, ticks)
        limits: MotionLimits = profile.limits
        command(memory, state, chunk, True, limits, PERIOD_S, now_ns)

    loop = DeadlineLoop('bench', PERIOD_S, tick)
    loop.start()
    time.sleep(SECONDS)
    loop.stop()
    lateness = loop.lateness()
    sys.stdout.write(json.dumps({'p99_ms': round(lateness.p99_ms, 3), 'missed': lateness.missed}))


if __name__ == '__main__':
    _run(sys.argv[1])
