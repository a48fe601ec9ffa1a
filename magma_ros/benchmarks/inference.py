"""How long one action of magma-nano takes on one core, picture preparation included."""

from __future__ import annotations

import time

import numpy as np

from magma_ros.benchmarks.record import Entry
from magma_ros.data_types import ArmState, Pose
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.resources import asset_path

REPEATS, WARM_UP = 60, 5
GOAL_MS = 60.0


def measure() -> list[Entry]:
    """Median milliseconds of an action and of a path."""
    model = load_onnx_model(asset_path('nano'), prepare_image, threads=1)
    picture = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    pose = Pose(np.array([0.3, 0.0, 0.15]), np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)]))
    state = ArmState(np.zeros(6), np.zeros(6), pose, 1.0, 0)
    entries = []
    for name, ask, repeats in (
        ('action', model.generate_action, REPEATS),
        ('path', model.generate_trace, REPEATS // 4),
    ):
        times_s = []
        for _ in range(WARM_UP + repeats):
            started_s = time.perf_counter()
            ask(picture, 'put the red cube on the blue plate', state)
            times_s.append(time.perf_counter() - started_s)
        median_ms = 1000 * float(np.median(times_s[WARM_UP:]))
        entries.append(
            Entry(
                f'inference-{name}',
                round(median_ms, 2),
                'ms',
                GOAL_MS * (1 if name == 'action' else 4),
            )
        )
    return entries
