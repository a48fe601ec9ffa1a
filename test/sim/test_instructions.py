from __future__ import annotations

import numpy as np
import pytest

from magma_ros.errors import InstructionError
from magma_ros.sim.instructions import (
    HELD_OUT_PHRASINGS,
    TRAINED_PHRASINGS,
    phrase,
    random_sentence,
    understand,
)
from magma_ros.sim.tasks import CUBES, DIRECTIONS, RECEPTACLES, TASK_KINDS, Task

TASKS = {
    'reach': [Task('reach', cube) for cube in CUBES],
    'pick': [Task('pick', cube) for cube in CUBES],
    'put': [Task('put', cube, destination=p) for cube in CUBES for p in RECEPTACLES],
    'push': [Task('push', cube, direction=d) for cube in CUBES for d in DIRECTIONS],
}
CASES = [
    pytest.param(task, template, id=phrase(task, template))
    for phrasings in (TRAINED_PHRASINGS, HELD_OUT_PHRASINGS)
    for kind, templates in phrasings.items()
    for template in templates
    for task in TASKS[kind][:2] + TASKS[kind][-1:]
]


@pytest.mark.parametrize(('task', 'template'), CASES)
def test_every_phrasing_is_understood(task: Task, template: str) -> None:
    assert understand(phrase(task, template)) == task


def test_every_kind_has_trained_and_held_out_phrasings_and_none_is_both() -> None:
    for kind in TASK_KINDS:
        assert TRAINED_PHRASINGS[kind]
        assert HELD_OUT_PHRASINGS[kind]
        assert not set(TRAINED_PHRASINGS[kind]) & set(HELD_OUT_PHRASINGS[kind])


def test_held_out_phrasings_are_made_of_trained_words() -> None:
    def words(phrasings: dict[str, tuple[str, ...]]) -> set[str]:
        return {word for group in phrasings.values() for text in group for word in text.split()}

    assert words(HELD_OUT_PHRASINGS) <= words(TRAINED_PHRASINGS)


@pytest.mark.parametrize('held_out', [False, True])
def test_random_sentences_come_from_the_list_asked_for(held_out: bool) -> None:
    random = np.random.default_rng(0)
    expected = (HELD_OUT_PHRASINGS if held_out else TRAINED_PHRASINGS)['put']
    task = TASKS['put'][0]

    drawn = {random_sentence(task, random, held_out) for _ in range(200)}

    assert drawn == {phrase(task, template) for template in expected}


def test_bowls_are_put_in_and_plates_put_on() -> None:
    template = TRAINED_PHRASINGS['put'][0]

    bowl = phrase(Task('put', 'red cube', destination='white bowl'), template)
    plate = phrase(Task('put', 'red cube', destination='blue plate'), template)

    assert bowl == 'put the red cube in the white bowl'
    assert plate == 'put the red cube on the blue plate'


@pytest.mark.parametrize(
    ('sentence', 'task'),
    [
        ('Pick up the RED block!', Task('pick', 'red cube')),
        ('Can you put the green box in the white cup?', Task('put', 'green cube', 'white bowl')),
        ('you can go to the blue cube now', Task('reach', 'blue cube')),
        ('nudge the blue cube left', Task('push', 'blue cube', direction='left')),
    ],
)
def test_other_words_for_the_same_are_understood(sentence: str, task: Task) -> None:
    assert understand(sentence) == task


@pytest.mark.parametrize(
    ('sentence', 'message'),
    [
        ('', 'is empty'),
        (' ?! 42', 'is empty'),
        ('pick up the pink cube', '"pink cube".*red cube, green cube'),
        ('pick up the cube', '"the cube"'),
        ('put the red cube on the orange can', '"orange can"'),
        ('pick up the red cube and the green cube', 'one cube.*red cube.*green cube'),
        ('put the red cube on the blue plate and the yellow plate', 'at most one place'),
        ('push the red cube left and right', 'at most one place or direction'),
        ('put the red cube on the blue plate to the left', 'at most one place or direction'),
        ('go to the blue plate', 'must name one cube'),
        ('hello', 'it names nothing'),
        ('paint the red cube', 'says not what to do with the red cube; try reach'),
        ('push the red cube', 'says not what to do'),
    ],
)
def test_a_sentence_that_cannot_be_used_says_why(sentence: str, message: str) -> None:
    with pytest.raises(InstructionError, match=message):
        understand(sentence)
