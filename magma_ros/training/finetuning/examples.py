"""Samples as token ids: the very prompt of run time, the answer, and how each token is taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_scaling import ActionStatistics, normalise
from magma_ros.model.action_tokens import encode_action
from magma_ros.model.network.magma_config import MagmaConfig
from magma_ros.model.text.prompts import END_OF_TURN, chat
from magma_ros.model.text.state_text import format_state
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.training.answers import ACTION, HARD, NUMBER
from magma_ros.training.finetuning.conversations import Sample


@dataclass(frozen=True)
class Example:
    """A prompt with its answer. The ids hold ``<image>`` once."""

    ids: tuple[int, ...]
    first: int  # index of the first answer id
    kinds: tuple[int, ...]  # HARD, NUMBER or ACTION of each answer id
    name: str = ''

    @property
    def prompt(self) -> tuple[int, ...]:
        """What the model is asked with."""
        return self.ids[: self.first]

    @property
    def answer(self) -> tuple[int, ...]:
        """What it should say, with the end of the turn."""
        return self.ids[self.first :]


class ExampleEncoder:
    """Builds examples for one model.

    Raises:
        ConfigurationError: the numbers 0..255 are not one token each.
    """

    def __init__(
        self, config: MagmaConfig, tokenizer: TextTokenizer, statistics: ActionStatistics | None
    ) -> None:
        self._config, self._tokenizer, self._statistics = config, tokenizer, statistics
        numbers = [tokenizer.encode_text(str(number)) for number in range(256)]
        if any(len(ids) != 1 for ids in numbers):
            raise ConfigurationError('the tokenizer splits numbers below 256: not one of Magma')
        self.number_ids = [ids[0] for ids in numbers]
        self._numbers = set(self.number_ids)
        self._end = tokenizer.special_id(END_OF_TURN.name)

    def encode(self, sample: Sample) -> Example:
        """One sample.

        Raises:
            ConfigurationError: the model needs the arm's state, which the sample lacks, or the
                example is longer than the model reads.
        """
        prompt = self._tokenizer.encode(chat(self._state_line(sample) + sample.question))
        if sample.kind == 'action':
            answer, kinds = self._action(sample)
        else:
            answer = self._tokenizer.encode_text(sample.answer)
            kinds = [NUMBER if i in self._numbers else HARD for i in answer]
        ids = (*prompt, *answer, self._end)
        length = len(ids) - 1 + self._config.visual_tokens()
        if length > self._config.decoder.max_position_embeddings:
            raise ConfigurationError(
                f'sample {sample.name!r} makes {length} tokens, {self._config.name} reads at most '
                f'{self._config.decoder.max_position_embeddings}: shorten its text'
            )
        return Example(ids, len(prompt), (*kinds, HARD), sample.name)

    def _action(self, sample: Sample) -> tuple[list[int], list[int]]:
        assert self._statistics is not None
        assert sample.action is not None
        normalised = normalise(np.array(sample.action), self._statistics)
        ids = encode_action(normalised, self._config.vocabulary.base_size)
        return [int(i) for i in ids], [ACTION] * len(ids)

    def _state_line(self, sample: Sample) -> str:
        if self._config.state is None or sample.kind not in ('action', 'trace'):
            return ''
        if sample.state is None:
            raise ConfigurationError(
                f'sample {sample.name!r} has no magma_ros.state, which {self._config.name} reads '
                'with every question about motion: convert again with the state of the arm'
            )
        return format_state(sample.state, self._config.state)
