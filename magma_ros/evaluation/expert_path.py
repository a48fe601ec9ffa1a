"""The scripted expert's path in place of a model's: what path mode does with a perfect drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState, PixelTrace
from magma_ros.errors import ModelError
from magma_ros.image.projection import project
from magma_ros.model.action_model import ActionDeltas, Marks, ModelIdentity, TraceAnswer
from magma_ros.model.text.trace_text import format_trace_answer, parse_trace_answer
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.path_labels import path_label
from magma_ros.sim.tasks import Task
from magma_ros.sim.world import World


class ExpertPath:
    """An ``ActionModel`` that draws the way the task calls for, on Magma's 256 x 256 grid.

    Everything behind the drawing is that of any model: depth lifts the points, the follower
    follows them. The rounding to the grid is part of it, because no model can write finer ones.
    """

    identity = ModelIdentity('expert-path', '')

    def __init__(self, world: World, camera: SimCamera, task: Task) -> None:
        self._world, self._camera, self._task = world, camera, task

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionDeltas:
        """Never; raises ModelError."""
        raise ModelError('the expert gives a path and no actions: use --mode path')

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """The key points of the task in the present state of the table, projected."""
        if marks is not None:
            raise ModelError('the expert draws the path of the gripper only, not of marks')
        truth, camera = self._world.truth(), self._camera.model()
        label = path_label(self._task, truth)
        start_px = project(camera, truth.tool_m)[0]
        trace = PixelTrace(1, start_px, project(camera, label.points_m), label.events)
        text = format_trace_answer([trace], camera.width_px, camera.height_px)
        return TraceAnswer(parse_trace_answer(text, camera.width_px, camera.height_px), text)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """Never; raises ModelError."""
        raise ModelError('the expert has no words: ask a model')

    def reset(self) -> None:
        """Nothing to forget."""
