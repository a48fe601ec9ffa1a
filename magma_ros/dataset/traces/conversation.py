"""Labels -> question and answer, word for word as Magma was trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from magma_ros.dataset.traces.marks import FrameLabels
from magma_ros.model.text.mark_text import format_marks_answer
from magma_ros.model.text.prompts import MARKS, TraceWording, trace_question
from magma_ros.model.text.trace_text import format_trace_cells

# In the picture as numbers, or in the question as text (Magma's setting for robots).
MarksIn = Literal['picture', 'question']


@dataclass(frozen=True)
class Conversation:
    """One question about one picture, and its answer."""

    question: str  # without the image token
    answer: str
    draws_marks: bool  # the picture must carry the numbers: image/mark_drawing.py


def to_conversation(
    labels: FrameLabels,
    task: str,
    wording: TraceWording = 'robot',
    marks_in: MarksIn = 'picture',
    says_speed: bool = True,
) -> Conversation | None:
    """Where the marks go (Trace-of-Mark), or where they are when none moves (Set-of-Mark).

    Args:
        labels: of one frame.
        task: what is being done.
        wording: of Magma's training on robots or people, or of its demo.
        marks_in: how the marks are told; places are always asked of numbers in the picture.
        says_speed: whether the question tells the mean speed of the moving marks.

    Returns:
        None for a frame without marks.

    Raises:
        InstructionError: the task cannot be used.
    """
    moving = labels.moving
    places = {mark.number: mark.cell for mark in labels.marks}
    if not places:
        return None
    if not moving:
        return Conversation(MARKS, format_marks_answer(places), draws_marks=True)
    speed = int(sum(mark.speed for mark in moving) / len(moving))
    question = trace_question(
        task,
        places if marks_in == 'question' else list(places),
        max(len(mark.future) for mark in moving),
        speed if says_speed else None,
        wording=wording,
    )
    answer = format_trace_cells({mark.number: (mark.cell, *mark.future) for mark in moving})
    return Conversation(question, answer, draws_marks=marks_in == 'picture')
