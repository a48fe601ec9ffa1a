"""An :class:`ActionModel` made of a network and Magma's prompts; drives every backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.errors import ConfigurationError
from magma_ros.model.action_model import ActionAnswer, ModelIdentity, TraceAnswer
from magma_ros.model.action_tokens import ACTION_BINS, ACTION_LENGTH, decode_action
from magma_ros.model.decoding import DecodingRule, choose_token, softmax
from magma_ros.model.network.magma_config import MagmaConfig, PreprocessorConfig
from magma_ros.model.text.prompts import Prompt, action_prompt, question_prompt, trace_prompt
from magma_ros.model.text.state_text import format_state, state_values
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.model.text.trace_text import parse_trace_answer

Float32Array = NDArray[np.float32]
PrepareImage = Callable[[NDArray[np.uint8], PreprocessorConfig], Float32Array]


class Network(Protocol):
    """The numbers behind a model: one prompt at a time."""

    def encode_image(self, pixels: Float32Array) -> Float32Array:
        """(1, 3, base, base) -> (n, d) visual tokens."""

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""

    def decode(self, embeddings: Float32Array, cache: Any | None) -> tuple[Float32Array, Any]:
        """(T, d) after the cache -> logits (vocabulary rows,) of the last, and a longer cache."""


@dataclass(frozen=True)
class DecodingSettings:
    """How answers are chosen and how long they may get."""

    rule: DecodingRule = 'median'  # of actions; text is greedy
    temperature: float = 1.0
    seed: int = 0
    trace_marks: tuple[int, ...] = (1,)
    trace_steps: int = 6
    trace_speed: int | None = None
    max_text_tokens: int = 160


class PromptedModel:
    """Asks the network Magma's questions and reads its answers."""

    def __init__(
        self,
        identity: ModelIdentity,
        config: MagmaConfig,
        network: Network,
        tokenizer: TextTokenizer,
        prepare_image: PrepareImage,
        decoding: DecodingSettings | None = None,
    ) -> None:
        """Puts the parts together; ``image_preparation.prepare_image`` is the preparation."""
        self.identity = identity
        self.config = config
        self._network = network
        self._tokenizer = tokenizer
        self._prepare_image = prepare_image
        self._decoding = decoding or DecodingSettings()
        self._rng = np.random.default_rng(self._decoding.seed)

    def reset(self) -> None:
        """Restarts the random generator, so that an episode can be repeated."""
        self._rng = np.random.default_rng(self._decoding.seed)

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionAnswer:
        """Seven tokens, each chosen among the 256 action ids."""
        base = self.config.vocabulary.base_size
        prompt = action_prompt(instruction, self._state_line(state))
        logits, cache = self._read_prompt(prompt, image_rgb)
        ids: list[int] = []
        probabilities: list[float] = []
        while True:
            choices = logits[base - ACTION_BINS : base]
            choice = int(
                choose_token(choices, self._decoding.rule, self._decoding.temperature, self._rng)
            )
            ids.append(base - ACTION_BINS + choice)
            probabilities.append(softmax(choices)[choice])
            if len(ids) == ACTION_LENGTH:
                break
            logits, cache = self._network.decode(self._network.embed(ids[-1:]), cache)
        return ActionAnswer(tuple(ids), decode_action(ids, base), np.array(probabilities))

    def generate_trace(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> TraceAnswer:
        """Where the marks of the settings will move, in pixels of the picture given."""
        settings = self._decoding
        prompt = trace_prompt(
            instruction,
            settings.trace_marks,
            settings.trace_steps,
            settings.trace_speed,
            self._state_line(state),
        )
        text = self._generate_text(prompt, image_rgb)
        height_px, width_px = image_rgb.shape[:2]
        return TraceAnswer(parse_trace_answer(text, width_px, height_px), text)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The model's words about the picture."""
        return self._generate_text(question_prompt(question), image_rgb)

    def _generate_text(self, prompt: Prompt, image_rgb: NDArray[np.uint8]) -> str:
        logits, cache = self._read_prompt(prompt, image_rgb)
        ids: list[int] = []
        while len(ids) < self._decoding.max_text_tokens:
            chosen = int(np.argmax(logits))
            if chosen == self.config.vocabulary.end_of_turn:
                break
            ids.append(chosen)
            logits, cache = self._network.decode(self._network.embed([chosen]), cache)
        return self._tokenizer.decode(ids)

    def _read_prompt(
        self, prompt: Prompt, image_rgb: NDArray[np.uint8]
    ) -> tuple[Float32Array, Any]:
        ids = self._tokenizer.encode(prompt)
        place = ids.index(self.config.vocabulary.image)
        pixels = self._prepare_image(image_rgb, self.config.preprocessor)
        visual_tokens = self._network.encode_image(pixels)
        before, after = self._network.embed(ids[:place]), self._network.embed(ids[place + 1 :])
        return self._network.decode(np.concatenate([before, visual_tokens, after]), None)

    def _state_line(self, state: ArmState | None) -> str:
        if state is None:
            return ''
        if self.config.state is None:
            raise ConfigurationError(
                f'{self.config.name} takes no arm state: call it with state None'
            )
        values = state_values(state.pose_gripper_in_base, state.gripper_opening)
        return format_state(values, self.config.state)
