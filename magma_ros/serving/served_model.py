"""A model, what its numbers mean, and its answers to checked questions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from magma_ros.errors import MagmaError
from magma_ros.model.action_model import ActionAnswer, ActionModel
from magma_ros.model.action_scaling import ActionStatistics, unnormalise
from magma_ros.model.prompted_model import require_words
from magma_ros.model.remote.action_space import ActionSpace
from magma_ros.model.remote.arrays import MalformedMessage
from magma_ros.model.remote.protocol import ServerMetadata
from magma_ros.model.remote.refusal import Refusal, refusal_of
from magma_ros.pipeline import POLICY_PERIOD_S
from magma_ros.serving.questions import Asked, check_question


@dataclass(frozen=True)
class Outcome:
    """An answer and how long its parts took."""

    answer: Any  # (1, 7) in m, rad (Euler), gripper opening; or a text
    prepare_ms: float  # reading and checking the message
    infer_ms: float


@dataclass(frozen=True)
class ServedModel:
    """One model behind both protocols. Its actions are decoded here, with these statistics."""

    model: ActionModel
    statistics: ActionStatistics
    image_size_px: int = 256
    takes_state: bool = True

    def describe(self) -> ServerMetadata:
        """What peers are told before they ask."""
        return ServerMetadata(
            self.model.identity.name,
            self.model.identity.sha256,
            self.statistics.key,
            self.image_size_px,
            self.takes_state,
            action_space=ActionSpace(step_s=POLICY_PERIOD_S),
        )

    def respond(self, data: bytes, read: Callable[[bytes], Any]) -> Outcome:
        """Message -> outcome, all in the calling thread. Raises Refusal, and whatever is a bug."""
        started_s = time.perf_counter()
        try:
            asked = check_question(read(data), self.statistics.key)
        except MalformedMessage as error:
            raise Refusal('malformed', str(error)) from error
        prepared_s = time.perf_counter()
        try:
            answer = self._ask(asked)
        except MagmaError as error:
            raise refusal_of(error) from error
        ended_s = time.perf_counter()
        return Outcome(answer, 1e3 * (prepared_s - started_s), 1e3 * (ended_s - prepared_s))

    def _ask(self, asked: Asked) -> Any:
        state = asked.state if self.takes_state else None
        if asked.question == 'trace':
            return self.model.generate_trace(asked.image_rgb, asked.text, state).text
        if asked.question == 'answer':
            require_words(self.model)
            return self.model.answer(asked.image_rgb, asked.text)
        answer = self.model.generate_action(asked.image_rgb, asked.text, state)
        if not isinstance(answer, ActionAnswer):
            raise Refusal('unsupported', 'this server passes questions on: ask the one behind it')
        action = unnormalise(answer.normalised, self.statistics)
        if action.shape != (7,) or not np.isfinite(action).all():
            raise Refusal('model', 'the model gave no seven finite numbers: look at its weights')
        return action[None]
