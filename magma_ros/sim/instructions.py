"""Sentences for tasks, and tasks for sentences.

Some phrasings are held out of training to measure understanding.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from magma_ros.errors import InstructionError
from magma_ros.sim.tasks import CUBES, DIRECTIONS, RECEPTACLES, Task

TRAINED_PHRASINGS: dict[str, tuple[str, ...]] = {
    'reach': (
        'reach the {target}',
        'go to the {target}',
        'move to the {target}',
        'move the gripper to the {target}',
        'touch the {target}',
        'move above the {target}',
        'reach for the {target}',
        'please go to the {target}',
        'approach the {target}',
    ),
    'pick': (
        'pick up the {target}',
        'grab the {target}',
        'lift the {target}',
        'take the {target}',
        'pick the {target} up',
        'grasp the {target}',
        'please pick up the {target}',
        'grab the {target} and lift it',
        'lift up the {target}',
    ),
    'put': (
        'put the {target} {on} the {destination}',
        'place the {target} {on} the {destination}',
        'move the {target} to the {destination}',
        'pick up the {target} and put it {on} the {destination}',
        'drop the {target} {on} the {destination}',
        'take the {target} and place it {on} the {destination}',
        'please put the {target} {on} the {destination}',
        'set the {target} {on} the {destination}',
        'bring the {target} to the {destination}',
    ),
    'push': (
        'push the {target} {direction}',
        'push the {target} to the {direction}',
        'slide the {target} {direction}',
        'slide the {target} to the {direction}',
        'shove the {target} to the {direction}',
        'move the {target} {direction}',
        'please push the {target} to the {direction}',
        'push the {target} toward the {direction}',
    ),
}

# Never seen in training; made of known words in new orders and combinations.
HELD_OUT_PHRASINGS: dict[str, tuple[str, ...]] = {
    'reach': (
        'please reach the {target}',
        'please move the gripper to the {target}',
        'go above the {target}',
    ),
    'pick': (
        'please grab the {target}',
        'please lift the {target} up',
        'take the {target} and lift it',
    ),
    'put': (
        'please place the {target} {on} the {destination}',
        'grab the {target} and put it {on} the {destination}',
        'please bring the {target} to the {destination}',
    ),
    'push': ('please slide the {target} to the {direction}', 'shove the {target} {direction}'),
}

_SYNONYMS = {'block': 'cube', 'box': 'cube', 'dish': 'plate', 'cup': 'bowl'}


def phrase(task: Task, template: str) -> str:
    """Fill a phrasing for a task: 'put the {target} {on} the {destination}' -> a sentence."""
    preposition = 'in' if (task.destination or '').endswith('bowl') else 'on'
    return template.format(
        target=task.target, destination=task.destination, direction=task.direction, on=preposition
    )


def random_sentence(task: Task, random: np.random.Generator, held_out: bool = False) -> str:
    """One of the trained phrasings (or of the held-out ones) for this task."""
    templates = (HELD_OUT_PHRASINGS if held_out else TRAINED_PHRASINGS)[task.kind]
    return phrase(task, templates[random.integers(len(templates))])


def understand(sentence: str) -> Task:
    """The task a sentence asks for, so that the simulator can lay the table and judge the result.

    The policy never sees this: it gets the sentence only.

    Raises:
        InstructionError: the sentence is empty, contradicts itself, or names something that is not
            there.
    """
    asked = re.sub(r'\b(can you|you can)\b', '', sentence.lower())  # not the can that is a thing
    words = [_SYNONYMS.get(word, word) for word in re.findall(r'[a-z]+', asked)]
    if not words:
        raise InstructionError(
            'the instruction is empty; try "put the red cube on the blue plate"'
        )
    named = [f'{colour} {noun}' for colour, noun in pairwise(words) if noun in _NOUNS]
    unknown = [name for name in named if name not in CUBES + RECEPTACLES]
    if unknown:
        raise InstructionError(
            f'there is no "{unknown[0]}" to handle; name one of {", ".join(CUBES + RECEPTACLES)}'
        )
    targets = sorted({name for name in named if name in CUBES})
    places = sorted({name for name in named if name in RECEPTACLES})
    directions = sorted({word for word in words if word in DIRECTIONS})
    if len(targets) != 1 or len(places) > 1 or len(directions) > 1 or (places and directions):
        raise InstructionError(
            f'"{sentence}" must name one cube ({", ".join(CUBES)}) and at most one place or '
            f'direction; it names {named + directions or "nothing"}'
        )
    if places:
        return Task('put', targets[0], destination=places[0])
    if directions:
        return Task('push', targets[0], direction=directions[0])
    for kind, verbs in _VERBS.items():
        if verbs & set(words):
            return Task(kind, targets[0])  # type: ignore[arg-type]
    raise InstructionError(
        f'"{sentence}" says not what to do with the {targets[0]}; try reach, pick up, '
        'put ... on, push ... left'
    )


_NOUNS = {'cube', 'plate', 'bowl', 'can', 'ball', 'mug', 'cylinder'}
_VERBS = {
    'pick': {'pick', 'grab', 'lift', 'take', 'grasp'},
    'reach': {'reach', 'go', 'touch', 'approach', 'move', 'gripper'},
}
