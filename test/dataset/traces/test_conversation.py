from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.dataset.traces.conversation import to_conversation
from magma_ros.dataset.traces.marks import FrameLabels, Mark
from magma_ros.errors import InstructionError
from magma_ros.model.text.mark_text import parse_marks
from magma_ros.model.text.prompts import prompt_text, trace_prompt
from magma_ros.model.text.trace_text import parse_trace_answer

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'trace_answer.json').read_text())
TASK = 'pick up the red cube'


def labels_of(*marks: Mark) -> FrameLabels:
    return FrameLabels(0, marks, False, {})


def golden_labels() -> FrameLabels:
    moving = [
        Mark(
            int(number),
            tuple(trace['start']),
            tuple(tuple(point) for point in trace['future']),
            GOLDEN['mean_step_grid_units'][number],
        )
        for number, trace in GOLDEN['parsed'].items()
    ]
    return labels_of(Mark(1, (12, 200), (), 0.0), *moving)


def test_the_answer_is_magmas_letter_for_letter() -> None:
    said = to_conversation(golden_labels(), TASK)
    assert said is not None
    assert said.answer == GOLDEN['answer']


@pytest.mark.parametrize(
    ('wording', 'marks_in', 'says_speed', 'question'),
    [
        (
            'robot',
            'picture',
            True,
            'The image is split into 256x256 grids, and labeled with numeric marks: [1, 6, 8].\n'
            f'The robot is doing: {TASK}. To finish the task, how to move the numerical marks in '
            'the image with speed 8 for the next 8 steps?',
        ),
        (
            'robot',
            'question',
            False,
            'The image is split into 256x256 grids, and labeled with numeric marks: '
            'Mark 1 at [12, 200], Mark 6 at [251, 92], Mark 8 at [250, 22].\n'
            f'The robot is doing: {TASK}. To finish the task, how to move the numerical marks in '
            'the image for the next 8 steps?',
        ),
        (
            'person',
            'picture',
            True,
            'The image is split into 256x256 grids, and labeled with numeric marks [1, 6, 8].\n'
            f'The person is doing: {TASK}. To finish the task, how to move the numerical marks in '
            'the image with speed 8 for the next 8 steps?',
        ),
    ],
)
def test_the_question_is_magmas(
    wording: str, marks_in: str, says_speed: bool, question: str
) -> None:
    said = to_conversation(golden_labels(), TASK, wording, marks_in, says_speed)
    assert said is not None
    assert said.question == question
    assert said.draws_marks == (marks_in == 'picture')


def test_the_question_is_what_the_model_is_asked_at_run_time() -> None:
    said = to_conversation(golden_labels(), TASK, 'demo')
    assert said is not None
    assert said.question in prompt_text(trace_prompt(TASK, [1, 6, 8], 8, 8))


def test_without_motion_the_places_are_asked_for() -> None:
    golden = GOLDEN['som_answer']
    marks = [Mark(int(number), tuple(cell), (), 0.0) for number, cell in golden['parsed'].items()]
    said = to_conversation(labels_of(*marks), TASK, marks_in='question')
    assert said is not None
    assert said.answer == golden['answer']
    assert said.question.endswith('Please locate all the numerical marks in the image.')
    assert said.draws_marks


def test_a_frame_without_marks_says_nothing() -> None:
    assert to_conversation(labels_of(), TASK) is None


def test_a_task_that_cannot_be_used() -> None:
    with pytest.raises(InstructionError):
        to_conversation(golden_labels(), 'two\nlines')


cells = st.tuples(st.integers(0, 400), st.integers(0, 400))
traces = st.lists(
    st.tuples(cells, st.lists(cells, max_size=15), st.floats(1, 50)), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=80)
@given(traces)
def test_the_parser_reads_every_answer_back(drawn: list) -> None:
    marks = [
        Mark(number, cell, tuple(future), speed)
        for number, (cell, future, speed) in enumerate(drawn, start=1)
    ]
    said = to_conversation(labels_of(*marks), TASK)
    assert said is not None
    moving = [mark for mark in marks if mark.future]
    if not moving:
        read = parse_marks(said.answer, 256, 256)
        assert {number: tuple(place) for number, place in read.items()} == {
            mark.number: mark.cell for mark in marks
        }
        return
    found = parse_trace_answer(said.answer, 256, 256)
    assert [trace.mark for trace in found] == [mark.number for mark in moving]
    for trace, mark in zip(found, moving, strict=True):
        assert tuple(trace.start_px) == mark.cell
        assert np.array_equal(trace.points_px, mark.future)
