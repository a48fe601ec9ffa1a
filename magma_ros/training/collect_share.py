"""One process's share of demonstrations.

``python -m magma_ros.training.collect_share LOW HIGH FOLDER [CHECKPOINT]``
"""

from __future__ import annotations

import sys
from pathlib import Path

from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.sim.model_policy import ModelPolicy
from magma_ros.sim.tasks import TaskKind
from magma_ros.training.demonstrations import collect

CORRECTION_MIX: dict[TaskKind, float] = {'reach': 0.05, 'pick': 0.30, 'put': 0.45, 'push': 0.20}
EXPERT_SHARE_LIMIT = 0.1  # more expert steps hide the student's mistakes


def main(arguments: list[str]) -> None:
    """Collect and save; with a checkpoint its policy acts and the expert only labels."""
    low, high, folder = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    if len(arguments) == 3:
        collect(range(low, high), folder)
        return
    model = load_onnx_model(Path(arguments[3]), prepare_image)
    statistics = load_statistics(model.config.statistics_key)
    student = ModelPolicy(model, statistics, 'direct', load_arm_profile('wx250s').base_link)
    collect(range(low, high), folder, student, CORRECTION_MIX, EXPERT_SHARE_LIMIT)


if __name__ == '__main__':
    main(sys.argv[1:])
