"""Questions and right answers as token ids, with what each answer token is worth in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.data_types import GripperEvent, PixelTrace
from magma_ros.model.action_tokens import encode_action
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.prompted_model import DecodingSettings
from magma_ros.model.text.prompts import END_OF_TURN, Prompt, Special, action_prompt, trace_prompt
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.model.text.trace_text import GRID, format_trace_answer
from magma_ros.sim.tasks import Task
from magma_ros.training.frames import CLOSE, NO_EVENT, PRESENCE

PATH_STEPS = DecodingSettings.trace_steps  # "for the next 6 steps", as at run time
PATH_MARK = DecodingSettings.trace_marks[0]
HARD, NUMBER, ACTION = 0, 1, 2  # how an answer token is taught
ACTION_WEIGHTS = (1.0, 1.0, 1.0, 0.3, 0.3, 0.7, 1.0)
NUMBER_WEIGHT, HARD_WEIGHT = 1.0, 0.3


@dataclass(frozen=True)
class Branch:
    """One question and its answer, as they follow the shared prefix (picture and state)."""

    ids: list[int]  # question, answer, end of turn
    first: int  # index of the first answer token
    kinds: list[int]  # HARD, NUMBER or ACTION for each answer token
    weights: list[float]
    grounding: list[tuple[int, int]]  # index of a colour word, column of PRESENCE it speaks of


class AnswerEncoder:
    """Builds branches; sentences are cached."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self.number_ids = [self._single_id(str(n)) for n in range(256)]
        self._number_of = {id_: n for n, id_ in enumerate(self.number_ids)}
        self._end = tokenizer.special_id(END_OF_TURN.name)
        self._blank = self._single_id(' ')
        self._questions: dict[tuple[bool, str], list[int]] = {}

    def prefix(self, state: list[int]) -> tuple[list[int], list[int]]:
        """Ids before and after the picture that all branches of a frame share.

        ``state``: seven levels 0..255.
        """
        whole = self._tokenizer.encode(action_prompt('x', _state_line(state)))
        question = self._tokenizer.encode_text('What action should the robot take to x?')
        image = whole.index(MAGMA_NANO.vocabulary.image)
        start = len(whole) - len(question) - self._tail_length()
        if whole[start : start + len(question)] != question:
            raise ValueError('the question does not start at a token border')
        return whole[:image], whole[image + 1 : start]

    def action(self, sentence: str, task: Task, action: np.ndarray) -> Branch:
        """The action question and seven ids; ``action`` is normalised, gripper 0 or 1."""
        ids = self._question(sentence, is_path=False)
        answer = [int(i) for i in encode_action(action, MAGMA_NANO.vocabulary.base_size)]
        return Branch(
            [*ids, *answer, self._end],
            len(ids),
            [ACTION] * 7 + [HARD],
            [*ACTION_WEIGHTS, 0.05],
            self._grounding(ids, task),
        )

    def path(
        self, sentence: str, task: Task, tool: np.ndarray, points: np.ndarray, events: np.ndarray
    ) -> Branch:
        """The path question and Magma's trace text with gripper tags.

        Points are on the 256 x 256 grid.
        """
        count = int((points[:, 0] >= 0).sum())
        tags = {
            index: GripperEvent.CLOSE if events[index] == CLOSE else GripperEvent.OPEN
            for index in range(count)
            if events[index] != NO_EVENT
        }
        trace = PixelTrace(PATH_MARK, tool, points[:count], tags)
        text = format_trace_answer([trace], GRID, GRID)
        answer = self._tokenizer.encode_text(text)
        # A number after a blank is the mark's own; coordinates follow a bracket or a comma.
        kinds = [
            NUMBER if id_ in self._number_of and before != self._blank else HARD
            for before, id_ in zip([self._blank, *answer], answer, strict=False)
        ]
        ids = self._question(sentence, is_path=True)
        return Branch(
            [*ids, *answer, self._end],
            len(ids),
            [*kinds, HARD],
            [NUMBER_WEIGHT if kind == NUMBER else HARD_WEIGHT for kind in [*kinds, HARD]],
            self._grounding(ids, task),
        )

    def number(self, id_: int) -> int:
        """The number 0..255 an id stands for."""
        return self._number_of[id_]

    def _question(self, sentence: str, is_path: bool) -> list[int]:
        key = (is_path, sentence)
        if key not in self._questions:
            prompt = (
                trace_prompt(sentence, [PATH_MARK], PATH_STEPS)
                if is_path
                else action_prompt(sentence)
            )
            whole = self._tokenizer.encode(_without_image_break(prompt))
            self._questions[key] = whole[whole.index(MAGMA_NANO.vocabulary.image_end) + 1 :]
        return self._questions[key]

    def _grounding(self, ids: list[int], task: Task) -> list[tuple[int, int]]:
        words = [self._tokenizer.decode([id_]).strip() for id_ in ids]
        found = [(words.index(task.target.split()[0]), PRESENCE.index(task.target))]
        if task.destination is not None:
            last = len(words) - 1 - words[::-1].index(task.destination.split()[0])
            found.append((last, PRESENCE.index(task.destination)))
        return found

    def _tail_length(self) -> int:
        tail = action_prompt('x')[-5:]  # end of turn, three header parts, two line breaks
        return len(self._tokenizer.encode(tail))

    def _single_id(self, text: str) -> int:
        ids = self._tokenizer.encode_text(text)
        if len(ids) != 1:
            raise ValueError(f'"{text}" must be one token, but is {ids}')
        return ids[0]


def _state_line(levels: list[int]) -> str:
    return f'State: [{",".join(map(str, levels))}]\n'


def _without_image_break(prompt: Prompt) -> Prompt:
    """The prompt with nothing between <image_end> and the question.

    In a branch the state line stands before the question and has ended the break already.
    """
    parts = list(prompt)
    at = parts.index(Special('<image_end>'))
    if parts[at + 1] != '\n':
        raise ValueError('a line break must follow <image_end>')
    del parts[at + 1]
    return tuple(parts)
