"""An :class:`ActionModel` made of a network and Magma's prompts; drives every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState, FloatArray
from magma_ros.errors import InstructionError, ModelError
from magma_ros.model.action_decoding import ActionDecoder
from magma_ros.model.action_model import (
    ActionAnswer,
    ActionModel,
    Marks,
    ModelIdentity,
    TraceAnswer,
)
from magma_ros.model.action_tokens import ACTION_LENGTH
from magma_ros.model.decoding import DecodingSettings, require_finite
from magma_ros.model.network.crops import Grid
from magma_ros.model.network.magma_config import MAGMA_NANO, MagmaConfig, PreprocessorConfig
from magma_ros.model.text.mark_text import Click, parse_click, parse_marks
from magma_ros.model.text.prompts import (
    Prompt,
    action_prompt,
    click_prompt,
    marks_prompt,
    question_prompt,
    trace_prompt,
)
from magma_ros.model.text.state_text import format_state, state_values
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.model.text.trace_text import is_trace_complete, mark_cells, parse_trace_answer

Picture = NDArray[np.uint8]
Float32Array = NDArray[np.float32]
PrepareImage = Callable[[NDArray[np.uint8], PreprocessorConfig], Float32Array]


class Network(Protocol):
    """The numbers behind a model: one prompt at a time.

    One that is an ``action_decoding.WindowNetwork`` too gives actions in fewer passes.
    """

    def encode_image(self, pixels: Float32Array, grid: Grid) -> Float32Array:
        """(rows * columns, 3, base, base) crops of one picture -> (n, d) visual tokens."""

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""

    def decode(self, embeddings: Float32Array, cache: Any | None) -> tuple[Float32Array, Any]:
        """(T, d) after the cache -> logits (vocabulary rows,) of the last, and a longer cache."""


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
        self._actions = ActionDecoder(network, config.vocabulary.base_size, self._decoding)

    @property
    def has_words(self) -> bool:
        """Whether it was made to speak: nano has only the words of instructions and paths."""
        return self.config.vocabulary.base_size > MAGMA_NANO.vocabulary.base_size

    def reset(self) -> None:
        """Restarts the random numbers, so that an episode can be repeated."""
        self._actions.reset()

    def generate_action(
        self, image_rgb: NDArray[np.uint8], instruction: str, state: ArmState | None
    ) -> ActionAnswer:
        """Seven tokens, each chosen among the 256 action ids."""
        prompt = action_prompt(instruction, self._state_line(state))
        embeddings = self._embed_prompt(prompt, image_rgb, answer_tokens=ACTION_LENGTH)
        return self._actions.decode(embeddings)

    def generate_trace(
        self,
        image_rgb: NDArray[np.uint8],
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> TraceAnswer:
        """Where marks will move, in pixels of the picture given; none: those of the settings."""
        *_, whole = self.stream_trace(image_rgb, instruction, state, marks)
        return whole

    def stream_trace(
        self,
        image_rgb: Picture,
        instruction: str,
        state: ArmState | None,
        marks: Marks | None = None,
    ) -> Iterator[TraceAnswer]:
        """The answer of :meth:`generate_trace` as it grows: after each point, and the whole.

        The model stops once every mark it named has its points; nothing else may be asked of the
        model before the last answer, or the iterator is given up.
        """
        settings = self._decoding
        height_px, width_px = image_rgb.shape[:2]
        prompt = trace_prompt(
            instruction,
            settings.trace_marks if marks is None else mark_cells(marks, width_px, height_px),
            settings.trace_steps,
            settings.trace_speed,
            self._state_line(state),
            'demo' if marks is None else 'robot',  # places were said in words in training only
        )
        ids: list[int] = []
        points = 0
        for token in self._generate_ids(self._embed_prompt(prompt, image_rgb)):
            ids.append(token)
            if ']' not in self._tokenizer.decode([token]):
                continue  # neither a point nor a list ends here: nothing to parse
            text = self._tokenizer.decode(ids)
            traces = parse_trace_answer(text, width_px, height_px)
            points_now = sum(len(trace.points_px) for trace in traces)
            if points_now > points:
                points = points_now
                yield TraceAnswer(traces, text)
            if is_trace_complete(text, settings.trace_steps):
                break
        text = self._tokenizer.decode(ids)
        yield TraceAnswer(parse_trace_answer(text, width_px, height_px), text)

    def answer(self, image_rgb: NDArray[np.uint8], question: str) -> str:
        """The model's words about the picture, which it sees in as many crops as it may."""
        seen_as = self.config.preprocessor.for_questions()
        return self._generate_text(question_prompt(question), image_rgb, seen_as=seen_as)

    def answer_video(self, frames: Sequence[Picture], question: str) -> str:
        """The model's words about frames in their order, each seen as a robot picture."""
        return self._generate_text(question_prompt(question, len(frames)), *frames)

    def locate_marks(self, image_rgb: Picture) -> dict[int, FloatArray]:
        """Where the numbers drawn into the picture are, in its pixels (Set-of-Mark)."""
        height_px, width_px = image_rgb.shape[:2]
        return parse_marks(self._generate_text(marks_prompt(), image_rgb), width_px, height_px)

    def click(self, image_rgb: Picture, instruction: str) -> Click | None:
        """Where to click in a screenshot; none if the answer holds no place."""
        seen_as = self.config.preprocessor.for_questions()
        text = self._generate_text(click_prompt(instruction), image_rgb, seen_as=seen_as)
        return parse_click(text)

    def _generate_text(
        self, prompt: Prompt, *pictures: Picture, seen_as: PreprocessorConfig | None = None
    ) -> str:
        embeddings = self._embed_prompt(prompt, *pictures, seen_as=seen_as)
        return self._tokenizer.decode(list(self._generate_ids(embeddings)))

    def _generate_ids(self, embeddings: Float32Array) -> Iterator[int]:
        """The likeliest ids up to the end of the turn; a pass is made when its id is wanted."""
        cache: Any = None
        for _ in range(self._decoding.max_text_tokens):
            logits, cache = self._network.decode(embeddings, cache)
            require_finite(logits)
            chosen = int(np.argmax(logits))
            if chosen == self.config.vocabulary.end_of_turn:
                return
            yield chosen
            embeddings = self._network.embed([chosen])

    def _embed_prompt(
        self,
        prompt: Prompt,
        *pictures: Picture,
        seen_as: PreprocessorConfig | None = None,
        answer_tokens: int | None = None,
    ) -> Float32Array:
        """(T, d): the prompt, each ``<image>`` replaced by the visual tokens of its picture.

        ``answer_tokens`` is the room left behind it, that of the longest text unless given.
        """
        ids = self._tokenizer.encode(prompt)
        seen_as = seen_as or self.config.preprocessor
        grids = [seen_as.grid(rgb.shape[1], rgb.shape[0]) for rgb in pictures]
        self._require_room(
            len(ids) + sum(self.config.visual_tokens(grid) - 1 for grid in grids),
            self._decoding.max_text_tokens if answer_tokens is None else answer_tokens,
        )
        parts: list[Float32Array] = []
        start = 0
        places = [at for at, token in enumerate(ids) if token == self.config.vocabulary.image]
        for place, rgb, grid in zip(places, pictures, grids, strict=True):
            visual_tokens = self._network.encode_image(self._prepare_image(rgb, seen_as), grid)
            parts += [self._network.embed(ids[start:place]), visual_tokens]
            start = place + 1
        parts.append(self._network.embed(ids[start:]))
        return np.concatenate(parts)

    def _require_room(self, prompt_tokens: int, answer_tokens: int) -> None:
        longest = self.config.decoder.max_position_embeddings
        needed = prompt_tokens + answer_tokens - 1  # the last one is never read
        if needed > longest:
            raise InstructionError(
                f'pictures and text make {prompt_tokens} tokens and the answer may take '
                f'{answer_tokens}, but {self.config.name} reads at most {longest}: give fewer '
                'pictures or a shorter sentence'
            )

    def _state_line(self, state: ArmState | None) -> str:
        if state is None or self.config.state is None:  # Magma itself takes none
            return ''
        values = state_values(state.pose_gripper_in_base, state.gripper_opening)
        return format_state(values, self.config.state)


def require_words(model: ActionModel) -> None:
    """Raise ModelError for a model whose answers to questions would be noise."""
    if isinstance(model, PromptedModel) and not model.has_words:
        raise ModelError(
            f'{model.identity.name} has no words: it acts and draws paths; questions need '
            'Magma-8B or a server whose model speaks'
        )
