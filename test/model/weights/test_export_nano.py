"""The shipped checkpoint exported in int8: its actions are those of fp32 to one bin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')
pytest.importorskip('onnxscript')

from magma_ros.data_types import ArmState  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.backends.onnx_model import load_onnx_model  # noqa: E402
from magma_ros.model.backends.torch_model import load_torch_model  # noqa: E402
from magma_ros.model.weights.export_onnx import ExportSettings, export_checkpoint  # noqa: E402
from magma_ros.resources import asset_path  # noqa: E402
from magma_ros.rotations import DOWN, make_pose  # noqa: E402

pytestmark = pytest.mark.torch
PICTURES = 40
STATE = ArmState(np.zeros(6), np.zeros(6), make_pose(np.array([0.25, 0.0, 0.2]), DOWN), 1.0, 1)


def blocks(seed: int) -> np.ndarray:
    few = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.kron(few, np.ones((80, 80, 1), dtype=np.uint8))


def test_int8_blocks_stay_within_one_bin(tmp_path: Path) -> None:
    folder = tmp_path / 'int8'
    export_checkpoint(asset_path('nano'), folder, ExportSettings('int8-blocks', 'action'))
    in_int8 = load_onnx_model(folder, prepare_image)
    in_torch = load_torch_model(asset_path('nano'), prepare_image)
    ids = [
        [
            model.generate_action(blocks(seed), 'pick up the red cube', STATE).ids
            for seed in range(PICTURES)
        ]
        for model in (in_int8, in_torch)
    ]
    off = np.abs(np.subtract(*ids))
    assert np.mean(off <= 1) >= 0.99
    # A window of drafts settles more than an id a pass here too.
    answer = in_int8.generate_action(blocks(PICTURES - 1), 'pick up the red cube', STATE)
    assert len(answer.ids_per_pass) < 7
