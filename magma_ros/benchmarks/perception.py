"""Perception as a process: what it adds to the model, and what a lost camera or model costs.

640 x 480 rgb8 at 30 Hz from another process; the model is scripted, so that from the publication
of a picture to the arrival of its chunk everything is ours. Memory is that of node and worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

from magma_ros.benchmarks import live_trace
from magma_ros.benchmarks.record import Entry
from magma_ros.errors import EnvironmentMissing
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.nodes.node_program import NodeProgram
from magma_ros.ros.process_environment import process_environment

MINUTES = 0.5
PARAMETERS = {'model': 'scripted', 'mode': 'direct', 'camera_pose_source': 'parameter'}
MEDIAN_MS, P99_MS = 8.0, 20.0
SLOPE_MB_MIN = 0.5
UNPLUGGED_S, RETURNED_S, KILLED_S, BACK_S = 0.5, 2.0, 0.3, 5.0
PATIENCE_S = 240.0


def measure(minutes: float = MINUTES) -> list[Entry]:
    """Overhead, order, memory, the two losses, and what traces cost the actions."""
    seen = _watch(minutes)
    latencies_ms = np.array(seen['latencies_ms'] or [np.inf])
    times_s, memory_mb = np.array(seen['memory_mb'])[len(seen['memory_mb']) // 2 :].T  # warm
    slope = 60.0 * np.polyfit(times_s - times_s[0], memory_mb, 1)[0]
    name = 'perception'
    return [
        Entry(f'{name}-overhead-p50', _rounded(np.median(latencies_ms)), 'ms', MEDIAN_MS),
        Entry(f'{name}-overhead-p99', _rounded(np.percentile(latencies_ms, 99)), 'ms', P99_MS),
        Entry(f'{name}-repeated-or-disordered', seen['repeated'], 'chunks', 0),
        Entry(f'{name}-memory-slope', _rounded(slope), 'MB/min', SLOPE_MB_MIN),
        Entry(f'{name}-unplugged-said', _rounded(seen['unplugged_s']), 's', UNPLUGGED_S),
        Entry(f'{name}-plugged-acts', _rounded(seen['returned_s']), 's', RETURNED_S),
        Entry(f'{name}-worker-killed-said', _rounded(seen['killed_s']), 's', KILLED_S),
        Entry(
            f'{name}-worker-back-besides-loading',
            _rounded(seen['back_s'] - seen['load_s']),
            's',
            BACK_S,
        ),
        *live_trace.measure(),
    ]


def _watch(minutes: float) -> dict:
    domain_id = 20 + os.getpid() % 80
    program = NodeProgram('perception_node', ('perception.yaml',))
    with NodeProcesses([program], {program.name: PARAMETERS}, domain_id) as nodes:
        rig = subprocess.run(
            [
                sys.executable,
                '-m',
                'magma_ros.benchmarks.perception_rig',
                str(nodes.pids[program.name]),
                str(minutes),
            ],
            env=process_environment(domain_id),
            stdout=subprocess.PIPE,
            text=True,
            timeout=minutes * 60.0 + PATIENCE_S,
        )
        if rig.returncode:
            raise EnvironmentMissing(
                f'the rig of the benchmark has failed; perception said:\n{nodes.log(program.name)}'
            )
    return json.loads(rig.stdout)


def _rounded(value: float) -> float:
    return round(float(value), 3)
