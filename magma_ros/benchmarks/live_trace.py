"""What live traces cost the actions beside them: magma-nano in direct mode, with and without.

``python -m magma_ros.benchmarks.live_trace SECONDS`` is the camera and listener of one run. An
action may wait for a trace, but not longer than one action period.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import rclpy
from visualization_msgs.msg import ImageMarker

from magma_ros.benchmarks.perception_rig import PerceptionRig, wait_for_actions
from magma_ros.benchmarks.record import Entry
from magma_ros.data_types import CameraImage
from magma_ros.errors import EnvironmentMissing
from magma_ros.image.picture_file import read_picture
from magma_ros.nodes.node_processes import NodeProcesses
from magma_ros.nodes.node_program import NodeProgram
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.resources import asset_path
from magma_ros.ros import topics
from magma_ros.ros.camera_messages import image_to_message
from magma_ros.ros.process_environment import process_environment

SECONDS = 30.0
PARAMETERS = {'mode': 'direct', 'camera_pose_source': 'parameter'}
TRACES = {'trace_period_s': 0.5}
PERIOD_RATIO = 1.1
NOISE = 3  # of the pictures, so that they are not frozen
PATIENCE_S = 240.0


def measure(seconds: float = SECONDS) -> list[Entry]:
    """The longest wait because of a trace, and the mean period of the actions."""
    alone, beside = _watch({}, seconds), _watch(TRACES, seconds)
    usual_ms = float(np.median(alone['latencies_ms']))
    delay_ms = max(beside['latencies_ms']) - usual_ms
    no_traces = () if beside['traces'] else ('no trace was drawn',)
    name = 'perception-live-trace'
    return [
        Entry(
            f'{name}-delay-max',
            round(delay_ms, 1),
            'ms',
            POLICY_PERIOD_S * 1e3,
            complaints=no_traces,
        ),
        Entry(
            f'{name}-action-period',
            round(beside['period_ms'], 1),
            'ms',
            PERIOD_RATIO,
            baseline=round(alone['period_ms'], 1),
            complaints=no_traces,
        ),
    ]


def _watch(parameters: dict[str, float], seconds: float) -> dict:
    domain_id = 20 + os.getpid() % 80
    program = NodeProgram('perception_node', ('perception.yaml',))
    with NodeProcesses(
        [program], {program.name: {**PARAMETERS, **parameters}}, domain_id
    ) as nodes:
        rig = subprocess.run(
            [sys.executable, '-m', 'magma_ros.benchmarks.live_trace', str(seconds)],
            env=process_environment(domain_id),
            stdout=subprocess.PIPE,
            text=True,
            timeout=seconds + PATIENCE_S,
        )
        if rig.returncode:
            raise EnvironmentMissing(
                f'the rig of the benchmark has failed; perception said:\n{nodes.log(program.name)}'
            )
    return json.loads(rig.stdout)


def _show_the_table(rig: PerceptionRig) -> None:
    """Pictures that nano can draw on, not noise alone."""
    table = read_picture(asset_path('reference_views') / 'nano.png').astype(int)
    random = np.random.default_rng(0)
    rig.pictures = [
        image_to_message(
            CameraImage(
                np.clip(table + random.integers(-NOISE, NOISE + 1, table.shape), 0, 255).astype(
                    np.uint8
                ),
                0,
                message.header.frame_id,
            )
        )
        for message in rig.pictures
    ]


def main() -> None:
    """Listen beside a node that runs already."""
    seconds = float(sys.argv[1])
    rclpy.init()
    rig = PerceptionRig()
    _show_the_table(rig)
    try:
        drawn: list[ImageMarker] = []
        topics.TRACE.subscribe(rig, drawn.append)
        wait_for_actions(rig)
        before = rig.chunks
        rig.run(lambda: False, seconds)
        seen = {
            'latencies_ms': rig.seen.latencies_ms,
            'period_ms': seconds * 1e3 / max(1, rig.chunks - before),
            'traces': len(drawn),
        }
        sys.stdout.write(json.dumps(seen))
    finally:
        rig.destroy_node()
        rclpy.shutdown()


if __name__ == '__main__':
    main()
