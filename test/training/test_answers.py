"""What is trained must be, id for id, what is asked when the arm moves."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import GripperEvent
from magma_ros.model.action_tokens import decode_action
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.text.nano_tokenizer import build_corpus, train_tokenizer
from magma_ros.model.text.prompts import END_OF_TURN, action_prompt, trace_prompt
from magma_ros.model.text.text_tokenizer import TextTokenizer, load_tokenizer
from magma_ros.model.text.trace_text import GRID, parse_trace_answer
from magma_ros.sim.instructions import HELD_OUT_PHRASINGS, TRAINED_PHRASINGS, phrase
from magma_ros.sim.tasks import CUBES, Task
from magma_ros.training.answers import (
    ACTION,
    HARD,
    NUMBER,
    PATH_MARK,
    PATH_STEPS,
    AnswerEncoder,
)
from magma_ros.training.frames import (
    CLOSE,
    MAX_PATH_POINTS,
    NO_EVENT,
    OPEN,
    PRESENCE,
    task_from_indices,
    task_indices,
)

TASKS = (
    Task('reach', 'red cube'),
    Task('pick', 'green cube'),
    Task('put', 'blue cube', destination='blue plate'),
    Task('put', 'red cube', destination='white bowl'),
    Task('push', 'green cube', direction='left'),
)
SENTENCES = [
    (task, phrase(task, template))
    for task in TASKS
    for phrasings in (TRAINED_PHRASINGS, HELD_OUT_PHRASINGS)
    for template in phrasings[task.kind]
]
VOCABULARY = MAGMA_NANO.vocabulary
LEVELS = st.lists(st.integers(0, 255), min_size=7, max_size=7)


@pytest.fixture(scope='module')
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    path = tmp_path_factory.mktemp('tokenizer') / 'tokenizer.json'
    train_tokenizer(build_corpus([sentence for _, sentence in SENTENCES])).save(str(path))
    return load_tokenizer(path)


@pytest.fixture(scope='module')
def encoder(tokenizer: TextTokenizer) -> AnswerEncoder:
    return AnswerEncoder(tokenizer)


def state_line(levels: list[int]) -> str:
    return f'State: [{",".join(map(str, levels))}]\n'


def some_path() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tool, points and events as the demonstrations hold them."""
    points = np.full((MAX_PATH_POINTS, 2), -1, np.int16)
    points[:3] = [[0, 255], [12, 34], [100, 200]]
    events = np.full(MAX_PATH_POINTS, NO_EVENT, np.int8)
    events[1], events[2] = CLOSE, OPEN
    return np.array([7, 89], np.int16), points, events


@settings(deadline=None, max_examples=25)
@given(LEVELS, st.sampled_from(SENTENCES))
def test_prefix_and_action_branch_are_the_whole_prompt(
    tokenizer: TextTokenizer, encoder: AnswerEncoder, levels: list[int], said: tuple[Task, str]
) -> None:
    task, sentence = said
    before, after = encoder.prefix(levels)
    branch = encoder.action(sentence, task, np.zeros(7))

    trained = [*before, VOCABULARY.image, *after, *branch.ids[: branch.first]]
    assert trained == tokenizer.encode(action_prompt(sentence, state_line(levels)))


@settings(deadline=None, max_examples=25)
@given(LEVELS, st.sampled_from(SENTENCES))
def test_prefix_and_path_branch_are_the_whole_prompt(
    tokenizer: TextTokenizer, encoder: AnswerEncoder, levels: list[int], said: tuple[Task, str]
) -> None:
    task, sentence = said
    before, after = encoder.prefix(levels)
    branch = encoder.path(sentence, task, *some_path())

    trained = [*before, VOCABULARY.image, *after, *branch.ids[: branch.first]]
    whole = trace_prompt(sentence, [PATH_MARK], PATH_STEPS, state_line=state_line(levels))
    assert trained == tokenizer.encode(whole)


def test_all_prefixes_are_equally_long(encoder: AnswerEncoder) -> None:
    lengths = {
        tuple(map(len, encoder.prefix(levels)))
        for levels in ([0] * 7, [255] * 7, [9, 10, 99, 100, 101, 1, 200])
    }

    assert len(lengths) == 1


def test_an_action_branch_ends_in_the_seven_ids_and_end_of_turn(
    tokenizer: TextTokenizer, encoder: AnswerEncoder
) -> None:
    action = np.array([-1.0, -0.5, 0.0, 0.3, 0.7, 1.0, 1.0])
    branch = encoder.action('pick up the green cube', TASKS[1], action)

    answer = branch.ids[branch.first :]
    assert answer[-1] == tokenizer.special_id(END_OF_TURN.name)
    assert decode_action(answer[:-1], VOCABULARY.base_size) == pytest.approx(action, abs=0.005)
    assert branch.kinds == [ACTION] * 7 + [HARD]
    assert len(branch.weights) == 8


def test_a_path_branch_is_text_that_reads_back_as_the_path(
    tokenizer: TextTokenizer, encoder: AnswerEncoder
) -> None:
    tool, points, events = some_path()
    branch = encoder.path('pick up the green cube', TASKS[1], tool, points, events)

    text = tokenizer.decode(branch.ids[branch.first : -1])
    (trace,) = parse_trace_answer(text, GRID, GRID)
    assert trace.start_px.tolist() == tool.tolist()
    assert trace.points_px.tolist() == points[:3].tolist()
    assert trace.events == {1: GripperEvent.CLOSE, 2: GripperEvent.OPEN}


def test_coordinates_are_numbers_and_the_marks_own_number_is_not(
    tokenizer: TextTokenizer, encoder: AnswerEncoder
) -> None:
    tool, points, events = some_path()
    branch = encoder.path('pick up the green cube', TASKS[1], tool, points, events)

    answer = branch.ids[branch.first :]
    assert len(answer) == len(branch.kinds) == len(branch.weights)
    numbers = [
        encoder.number(id_)
        for id_, kind in zip(answer, branch.kinds, strict=True)
        if kind == NUMBER
    ]
    assert numbers == [7, 89, 0, 255, 12, 34, 100, 200]
    text = tokenizer.decode(answer[:-1])
    assert len(re.findall(r'\d+', text)) == len(numbers) + 2  # and "Mark 1" twice
    assert branch.kinds[-1] == HARD
    assert ACTION not in branch.kinds


@pytest.mark.parametrize(('task', 'sentence'), SENTENCES, ids=lambda value: str(value))
def test_grounding_points_at_the_colour_words(
    tokenizer: TextTokenizer, encoder: AnswerEncoder, task: Task, sentence: str
) -> None:
    for branch in (
        encoder.action(sentence, task, np.zeros(7)),
        encoder.path(sentence, task, *some_path()),
    ):
        found = {
            PRESENCE[column]: tokenizer.decode([branch.ids[at]]).strip()
            for at, column in branch.grounding
        }
        things = [task.target] + ([task.destination] if task.destination else [])
        assert found == {thing: thing.split()[0] for thing in things}
        positions = [at for at, _ in branch.grounding]
        assert len(set(positions)) == len(positions)
        assert all(at < branch.first for at in positions)


def test_a_blue_cube_for_the_blue_plate_is_grounded_in_order(encoder: AnswerEncoder) -> None:
    task = TASKS[2]
    branch = encoder.action('put the blue cube on the blue plate', task, np.zeros(7))

    (cube_at, cube), (plate_at, plate) = branch.grounding
    assert cube_at < plate_at
    assert (PRESENCE[cube], PRESENCE[plate]) == ('blue cube', 'blue plate')


def test_tasks_survive_as_indices() -> None:
    for task in TASKS:
        assert task_from_indices(*task_indices(task)) == task
    assert task_indices(Task('reach', CUBES[2])) == (0, 2, -1)
