"""Traces while they are written: partial answers, and an end as soon as nothing is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_model import ModelIdentity, TraceAnswer
from magma_ros.model.decoding import DecodingSettings
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.prompted_model import PromptedModel
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.model.text.trace_text import is_trace_complete, parse_trace_answer

GOLDEN = json.loads((Path(__file__).parents[1] / 'golden' / 'trace_answer.json').read_text())
HEADER = 'Mark 1 at [9,9] should be moved, and their future positions are:\n\n"Mark 1": "'
PICTURE = np.zeros((256, 256, 3), dtype=np.uint8)


class WritingNetwork:
    """Writes a given text, then goes on with its last id for ever."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids, self.passes = ids, 0

    def encode_image(self, pixels: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
        return np.zeros((72, 1), dtype=np.float32)

    def embed(self, ids: Sequence[int]) -> np.ndarray:
        return np.zeros((len(ids), 1), dtype=np.float32)

    def decode(self, embeddings: np.ndarray, cache: int | None) -> tuple[np.ndarray, int]:
        self.passes += 1
        step = cache or 0
        logits = np.zeros(MAGMA_NANO.vocabulary.rows, dtype=np.float32)
        logits[self.ids[min(step, len(self.ids) - 1)]] = 1.0
        return logits, step + 1


def write(text: str, tokenizer: TextTokenizer, steps: int) -> tuple[list[TraceAnswer], int, int]:
    """Partial answers to a text with one more sentence behind it, passes made and ids it has."""
    ids = tokenizer.encode_text(text)
    network = WritingNetwork([*ids, *tokenizer.encode_text('and so on')])
    chosen = DecodingSettings(trace_steps=steps, max_text_tokens=len(ids) + 60)
    identity = ModelIdentity('writing', '')
    model = PromptedModel(identity, MAGMA_NANO, network, tokenizer, prepare_image, chosen)
    return list(model.stream_trace(PICTURE, 'go', None)), network.passes, len(ids)


def test_an_answer_grows_point_by_point_and_ends_when_complete(tokenizer: TextTokenizer) -> None:
    answers, passes, count = write(GOLDEN['answer'], tokenizer, steps=8)
    assert passes <= count
    assert len(answers) == 2 * 8 + 1
    whole = parse_trace_answer(GOLDEN['answer'], 256, 256)
    for number, answer in enumerate(answers[:-1], start=1):
        assert sum(len(trace.points_px) for trace in answer.traces) == number
        for trace, expected in zip(answer.traces, whole, strict=False):
            assert np.array_equal(trace.points_px, expected.points_px[: len(trace.points_px)])
    for trace, expected in zip(answers[-1].traces, whole, strict=True):
        assert np.array_equal(trace.points_px, expected.points_px)


def test_a_tag_behind_the_last_point_is_waited_for(tokenizer: TextTokenizer) -> None:
    body = '[[1,2],[3,4],<action>Open Gripper</action>]"\n\n'
    answers, passes, count = write(HEADER + body, tokenizer, steps=2)
    assert passes <= count
    assert answers[-1].traces[0].events.keys() == {1}


def test_a_list_without_end_is_cut(tokenizer: TextTokenizer) -> None:
    answers, passes, count = write(HEADER + '[' + '[5,5],' * 60, tokenizer, steps=3)
    assert passes < count / 2
    assert len(answers[-1].traces[0].points_px) == 4


def test_words_instead_of_a_trace(tokenizer: TextTokenizer) -> None:
    (answer,), passes, count = write('I see a table.', tokenizer, steps=3)
    assert answer.traces == []
    assert passes == count + 60


def test_giving_up_makes_no_more_passes(tokenizer: TextTokenizer) -> None:
    network = WritingNetwork(tokenizer.encode_text(GOLDEN['answer']))
    identity = ModelIdentity('writing', '')
    model = PromptedModel(identity, MAGMA_NANO, network, tokenizer, prepare_image)
    stream = model.stream_trace(PICTURE, 'go', None)
    next(stream)
    passes = network.passes
    stream.close()
    assert network.passes == passes < len(network.ids)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        (GOLDEN['answer'], True),
        (GOLDEN['answer'].rstrip()[:-1], True),
        (GOLDEN['answer'].rstrip()[:-2], False),
        (GOLDEN['truncated_answer'], False),
        ('', False),
        ('should be moved', False),
        (HEADER, False),
        (HEADER + '[[1,1],[2,2]', False),
        (HEADER + '[[1,1],[2,2],[3,3]', True),
        (HEADER + '[[1,1]]', True),
        (HEADER + '[]', False),
        (HEADER.replace('Mark 1 at', 'Mark 2 at [3,3], Mark 1 at') + '[[1,1]]"', False),
    ],
)
def test_complete(text: str, expected: bool) -> None:
    steps = 8 if 'Mark 6' in text else 2
    assert is_trace_complete(text, steps) is expected
