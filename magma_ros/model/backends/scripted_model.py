"""A model that answers from a list: for tests of everything around a model, and for rehearsals."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from magma_ros.data_types import ArmState, PixelTrace
from magma_ros.model.action_model import ActionAnswer, Marks, ModelIdentity, TraceAnswer
from magma_ros.model.action_tokens import decode_action, encode_action
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.text.prompts import check_instruction
from magma_ros.model.text.trace_text import format_trace_answer


class ScriptedModel:
    """Gives the actions in order, then the last one for ever; always the same traces and words."""

    def __init__(
        self, actions: ArrayLike, traces: Sequence[PixelTrace] = (), words: str = ''
    ) -> None:
        """Takes actions (n, 7) in [-1, 1], n at least 1; they are rounded to Magma's bins."""
        self._actions = np.asarray(actions, dtype=float).reshape(-1, 7)
        if len(self._actions) == 0:
            raise ValueError('a scripted model needs at least one action')
        self._traces = list(traces)
        self._words = words
        self._next = 0
        digest = hashlib.sha256(self._actions.tobytes()).hexdigest()
        self.identity = ModelIdentity('scripted', digest)

    def reset(self) -> None:
        """Starts again with the first action."""
        self._next = 0

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionAnswer:
        """The next action; the instruction is checked as a real model would."""
        check_instruction(instruction)
        action = self._actions[min(self._next, len(self._actions) - 1)]
        self._next += 1
        base = MAGMA_NANO.vocabulary.base_size
        ids = encode_action(action, base)
        return ActionAnswer(tuple(ids.tolist()), decode_action(ids, base))

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """The traces given, whatever the picture and the marks."""
        check_instruction(instruction)
        height_px, width_px = image_rgb.shape[:2]
        return TraceAnswer(self._traces, format_trace_answer(self._traces, width_px, height_px))

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The words given."""
        check_instruction(question)
        return self._words
