"""The model of a worker, as the pipeline knows models."""

from __future__ import annotations

import time
from typing import cast

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.errors import ModelError
from magma_ros.model.action_model import (
    ActionAnswer,
    ActionDeltas,
    Marks,
    ModelIdentity,
    TraceAnswer,
)
from magma_ros.nodes.model_worker import ModelWorker, Reply
from magma_ros.nodes.model_worker_answers import Kind
from magma_ros.nodes.perception_timing import Stage


class WorkerModel:
    """An ``ActionModel`` that waits for its worker. For one thread, which is no executor's."""

    def __init__(self, worker: ModelWorker) -> None:
        self._worker = worker
        self.spent_s: dict[Stage, float] = {}  # on what was asked last; whoever reads it clears it

    @property
    def identity(self) -> ModelIdentity:
        """Of the model loaded last."""
        if self._worker.loaded is None:
            raise ModelError(self._worker.state.text)
        return self._worker.loaded.identity

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionAnswer | ActionDeltas:
        """See ``ActionModel``; what can go wrong besides: ``ModelWorker.submit``."""
        reply = self._ask('action', image_rgb, instruction, state)
        return cast('ActionAnswer | ActionDeltas', reply.answer)

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """The same for a trace."""
        reply = self._ask('trace', image_rgb, instruction, state, marks)
        return cast('TraceAnswer', reply.answer)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The same for words."""
        return cast('str', self._ask('answer', image_rgb, question, None).answer)

    def reset(self) -> None:
        """A new episode begins with the next request."""
        self._worker.reset()

    def _ask(
        self,
        kind: Kind,
        image_rgb: NDArray[np.uint8],
        text: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> Reply:
        started_s = time.monotonic()
        reply = self._worker.ask(kind, image_rgb, text, state, marks)
        inside_s = reply.prepare_s + reply.infer_s
        self.spent_s = {
            'prepare': reply.prepare_s,
            'infer': reply.infer_s,
            'hand_over': time.monotonic() - started_s - inside_s,
        }
        return reply
