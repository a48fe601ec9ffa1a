"""All text Magma is asked with, word for word as trained: a changed letter costs accuracy.

Sources: Magma's chat template, ``agents/robot_traj/app.py`` (trace), ``data/conversations.py`` and
``data_utils/openx_magma/data_utils.py`` (marks, traces of the training), the evaluation policies
(action), and HAMSTER's ``gradio_server_example.py``. A prompt is a sequence of parts: special
tokens, which only this file writes, and plain text, in which special-token names stay ordinary
letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from magma_ros.errors import InstructionError

MAX_INSTRUCTION_LENGTH = 200
MAX_QUESTION_LENGTH = 2000

SYSTEM = 'You are agent that can see, talk and act.'
ACTION = '{state}What action should the robot take to {instruction}?'
TRACE = (
    '{state}The image is split into 256x256 grids{labels}.\n'
    'The {actor} is doing: {task}. To finish the task, how to move the numerical marks in the '
    'image{speed} for the next {steps} steps?'
)
# How the marks are announced differs between Magma's demo and its training data.
TraceWording = Literal['demo', 'robot', 'person']
TRACE_WORDINGS: dict[TraceWording, tuple[str, str]] = {
    'demo': ('robot', ' and is labeled with numeric marks {marks}'),
    'robot': ('robot', ', and labeled with numeric marks: {marks}'),
    'person': ('person', ', and labeled with numeric marks {marks}'),
}
SPEED = ' with speed {speed}'
MARKS = (
    'The image is split into 256x256 grids, and labeled with numeric marks.\n'
    'Please locate all the numerical marks in the image.'
)
QUESTION = '{question} Answer the question briefly.'
CLICK = (
    'In this view I need to click a button to "{instruction}"? Provide the coordinates and '
    'the mark index of the containing bounding box if applicable.'
)
HAMSTER = (
    'In the image, please execute the command described in <quest>{task}</quest>.\n'
    'Provide a sequence of points denoting the trajectory of a robot gripper '
    'to achieve the goal.\n'
    'Format your answer as a list of tuples enclosed by <ans> and </ans> tags. For example:\n'
    '<ans>[(0.25, 0.32), (0.32, 0.17), (0.13, 0.24), <action>Open Gripper</action>, (0.74, 0.21), '
    '<action>Close Gripper</action>, ...]</ans>\n'
    'The tuple denotes point x and y location of the end effector in the image. '
    'The action tags indicate gripper actions.\n'
    'Coordinates should be floats between 0 and 1, representing relative positions.\n'
    'Remember to provide points between <ans> and </ans> tags and think step by step.'
)


@dataclass(frozen=True)
class Special:
    """A special token, by name."""

    name: str


PromptPart = Special | str
Prompt = tuple[PromptPart, ...]

BEGIN_OF_TEXT = Special('<|begin_of_text|>')
START_HEADER = Special('<|start_header_id|>')
END_HEADER = Special('<|end_header_id|>')
END_OF_TURN = Special('<|eot_id|>')
IMAGE: Prompt = (Special('<image_start>'), Special('<image>'), Special('<image_end>'), '\n')


def action_prompt(instruction: str, state_line: str = '') -> Prompt:
    """Asks for seven action tokens.

    Args:
        instruction: what to do; lower-cased, as in training.
        state_line: empty, or what ``state_text.format_state`` gave (nano's option).

    Raises:
        InstructionError: the instruction cannot be used.
    """
    sentence = check_instruction(instruction).lower()
    return chat(ACTION.format(state=state_line, instruction=sentence))


def trace_prompt(
    task: str,
    marks: Sequence[int] | Mapping[int, tuple[int, int]],
    steps: int,
    speed: int | None = None,
    state_line: str = '',
    wording: TraceWording = 'demo',
) -> Prompt:
    """Asks where the marks will move; arguments as those of :func:`trace_question`."""
    return chat(trace_question(task, marks, steps, speed, state_line, wording))


def trace_question(
    task: str,
    marks: Sequence[int] | Mapping[int, tuple[int, int]],
    steps: int,
    speed: int | None = None,
    state_line: str = '',
    wording: TraceWording = 'demo',
) -> str:
    """The words of :func:`trace_prompt`.

    Args:
        task: what is being done; keeps its capitals and its full stop.
        marks: ids that are drawn into the picture (or, as in Magma's demo, are not), or where
            each id is on the 256 x 256 grid, x first, which is then said in words.
        steps: how many future points to ask for.
        speed: grid cells per step; none leaves it out.
        state_line: empty, or what ``state_text.format_state`` gave (nano's option).
        wording: of Magma's demo, or of its training on robots or on people.

    Raises:
        InstructionError: the task cannot be used.
    """
    actor, labels = TRACE_WORDINGS[wording]
    return TRACE.format(
        state=state_line,
        labels=labels.format(marks=_list_marks(marks)),
        actor=actor,
        task=check_instruction(task),
        speed='' if speed is None else SPEED.format(speed=speed),
        steps=steps,
    )


def marks_prompt() -> Prompt:
    """Asks where the drawn marks are (Set-of-Mark)."""
    return chat(MARKS)


def question_prompt(question: str, pictures: int = 1) -> Prompt:
    """Asks about a picture, or about the frames of a video in their order.

    Raises:
        InstructionError: the question cannot be used.
    """
    sentence = check_instruction(question, MAX_QUESTION_LENGTH)
    return chat(QUESTION.format(question=sentence), pictures)


def click_prompt(instruction: str) -> Prompt:
    """Asks which mark to click in a screenshot; raises InstructionError."""
    return chat(CLICK.format(instruction=check_instruction(instruction)))


def hamster_prompt(task: str) -> Prompt:
    """Asks for a gripper path in HAMSTER's format; raises InstructionError."""
    return chat(hamster_question(task))


def hamster_question(task: str) -> str:
    """The words of :func:`hamster_prompt`."""
    return HAMSTER.format(task=check_instruction(task))


def chat(question: str, pictures: int = 1) -> Prompt:
    """System message, one user turn, and the start of the assistant's answer.

    The begin-of-text token comes twice: the chat template writes one and the tokenizer adds
    another; Magma was trained and is evaluated like that.
    """
    return (
        BEGIN_OF_TEXT,
        BEGIN_OF_TEXT,
        *_header('system'),
        SYSTEM,
        END_OF_TURN,
        *_header('user'),
        *IMAGE * pictures,
        question.rstrip() if pictures else question.strip(),
        END_OF_TURN,
        *_header('assistant'),
    )


def prompt_text(prompt: Prompt) -> str:
    """One string, for logs and tests; never tokenise it: it cannot tell names from tokens."""
    return ''.join(part.name if isinstance(part, Special) else part for part in prompt)


def check_instruction(instruction: str, longest: int = MAX_INSTRUCTION_LENGTH) -> str:
    """The instruction without surrounding blanks.

    Raises:
        InstructionError: it is empty, longer than ``longest``, or holds control characters.
    """
    sentence = instruction.strip()
    if not sentence:
        raise InstructionError(
            'the instruction is empty: say what to do, for example "pick up the red cube"'
        )
    if len(sentence) > longest:
        raise InstructionError(
            f'the instruction has {len(sentence)} characters, but at most '
            f'{longest} are allowed: shorten it'
        )
    if not sentence.isprintable():
        raise InstructionError(
            'the instruction holds control characters or line breaks: give one plain line'
        )
    return sentence


def _list_marks(marks: Sequence[int] | Mapping[int, tuple[int, int]]) -> str:
    if isinstance(marks, Mapping):
        return ', '.join(f'Mark {mark} at [{x}, {y}]' for mark, (x, y) in marks.items())
    return str(list(marks))


def _header(role: str) -> Prompt:
    return (START_HEADER, role, END_HEADER, '\n\n')
