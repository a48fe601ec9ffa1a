"""What every model behind the pipeline can do, whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import (
    ArmState,
    EndEffectorDelta,
    FloatArray,
    PixelTrace,
    Reference,
)

Marks = Mapping[int, FloatArray]  # number -> (x, y) in pixels of the picture


@dataclass(frozen=True)
class ModelIdentity:
    """Which model answered: goes into every recording."""

    name: str
    sha256: str  # over the files that decide its answers


@dataclass(frozen=True)
class ActionAnswer:
    """One action as the model gave it."""

    ids: tuple[int, ...]  # the emitted tokens
    normalised: FloatArray  # (7,) bin centres; ``action_scaling.decode_delta`` gives them units
    probabilities: FloatArray | None = None  # (7,) of the emitted tokens among the 256 actions
    # Ids settled by the pass over the prompt and by each one after it; empty if nobody counted.
    ids_per_pass: tuple[int, ...] = ()


@dataclass(frozen=True)
class ActionDeltas:
    """Actions in metres and radians: what a server answers that decodes them itself."""

    deltas: tuple[EndEffectorDelta, ...]  # one per step, at least one
    step_s: float  # each is meant to take this long
    reference: Reference = 'measured'  # what the first is relative to


@dataclass(frozen=True)
class TraceAnswer:
    """Where marks will move, and the text it was read from."""

    traces: list[PixelTrace]  # pixels of the picture given; empty if the text holds none
    text: str


class ActionModel(Protocol):
    """A model that acts, traces and answers. Nothing is remembered from picture to picture."""

    @property
    def identity(self) -> ModelIdentity:
        """Name and checksum."""

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionAnswer | ActionDeltas:
        """What to do at this picture; raises InstructionError, CameraError or ModelError."""

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """Where marks of this picture will move; same errors.

        Args:
            image_rgb: (height, width, 3).
            instruction: what is being done.
            state: of the arm, for models that read it.
            marks: number -> (x, y) in pixels; none: those the model was made for.
        """

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The model's words about the picture; same errors."""

    def reset(self) -> None:
        """A new episode starts: what belongs to the last one is forgotten."""
