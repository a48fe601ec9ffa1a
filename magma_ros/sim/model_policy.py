"""A model as the policy of a rollout; its true inference time is charged."""

from __future__ import annotations

import time

import numpy as np

from magma_ros.data_types import CameraImage, DeltaChunk, Observation, PixelTrace
from magma_ros.errors import CameraError, ModelError
from magma_ros.model.action_model import ActionModel
from magma_ros.model.action_scaling import ActionStatistics
from magma_ros.pipeline import Mode, PredictMemory, predict


class ModelPolicy:
    """Calls ``pipeline.predict`` and measures how long it took.

    Args:
        model: any backend.
        statistics: of its actions; none if it answers in metres and radians.
        mode: direct or path.
        frame_id: the arm's base link.
        blank_picture: show the model noise instead (an ablation: the picture must matter).
    """

    def __init__(
        self,
        model: ActionModel,
        statistics: ActionStatistics | None,
        mode: Mode,
        frame_id: str,
        blank_picture: bool = False,
    ) -> None:
        self._model, self._statistics = model, statistics
        self._mode, self._frame_id, self._blank = mode, frame_id, blank_picture
        self._memory, self._instruction = PredictMemory(), ''
        self.latencies_s: list[float] = []
        self.refusals: list[str] = []  # why, for each picture without a usable answer

    def begin(self, instruction: str) -> None:
        """A new episode with this sentence."""
        self._model.reset()
        self._memory, self._instruction = PredictMemory(), instruction

    @property
    def traces(self) -> list[PixelTrace]:
        """What the model drew last, in pixels of the picture."""
        return self._memory.traces

    def act(self, observation: Observation, sequence: int) -> DeltaChunk | None:
        """One prediction."""
        if self._blank:
            observation = _blanked(observation)
        started_s = time.perf_counter()
        try:
            chunk = predict(
                self._memory,
                self._model,
                self._statistics,
                observation,
                self._instruction,
                self._mode,
                self._frame_id,
            )
        except (CameraError, ModelError) as error:
            self.refusals.append(str(error))
            chunk = None
        self.latencies_s.append(time.perf_counter() - started_s)
        return chunk

    def latency_s(self) -> float:
        """Of the last prediction."""
        return self.latencies_s[-1]


def _blanked(observation: Observation) -> Observation:
    """The same observation with a picture that shows nothing.

    Mid-grey with noise, so that it does not count as a covered lens.
    """
    noise = np.random.default_rng(0).integers(
        108, 148, observation.image.rgb.shape, dtype=np.uint8
    )
    image = CameraImage(noise, observation.image.stamp_ns, observation.image.frame_id)
    return Observation(image, observation.arm, observation.camera, observation.read_depth)
