"""Two models as one: one acts, the other draws the paths that guide it (HAMSTER's way)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.model.action_model import (
    ActionAnswer,
    ActionDeltas,
    ActionModel,
    Marks,
    ModelIdentity,
    TraceAnswer,
)


class GuidedModel:
    """Actions of the one, paths of the other; questions go to the one with the paths.

    The identity names both; its checksum is that of the model that acts.
    """

    def __init__(self, actor: ActionModel, guide: ActionModel) -> None:
        self._actor, self.guide = actor, guide
        names = f'{actor.identity.name}, paths of {guide.identity.name}'
        self.identity = ModelIdentity(names, actor.identity.sha256)

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionAnswer | ActionDeltas:
        """Of the model that acts."""
        return self._actor.generate_action(image_rgb, instruction, state)

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """Of the model that guides."""
        return self.guide.generate_trace(image_rgb, instruction, state, marks)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """Of the model that guides."""
        return self.guide.answer(image_rgb, question)

    def reset(self) -> None:
        """Both begin a new episode."""
        self._actor.reset()
        self.guide.reset()

    def close(self) -> None:
        """Leave the servers, where there are some."""
        for model in (self._actor, self.guide):
            leave = getattr(model, 'close', None)
            if leave is not None:
                leave()
