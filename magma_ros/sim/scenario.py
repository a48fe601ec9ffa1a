"""A scene, a task and a sentence that belong together, from one seed: the unit of evaluation.

The same (task, seed) gives the same scenario through the core and through the nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magma_ros.errors import ConfigurationError
from magma_ros.sim.instructions import random_sentence
from magma_ros.sim.scene import Scene, Variation, random_scene, random_task
from magma_ros.sim.tasks import TASK_KINDS, Task, TaskKind


@dataclass(frozen=True)
class Scenario:
    """What stands where, what is to be done, and how it is said."""

    task: Task
    scene: Scene
    instruction: str
    seed: int


def make_scenario(
    kind_or_task: TaskKind | Task,
    seed: int,
    held_out: bool = False,
    variation: Variation | None = None,
) -> Scenario:
    """Draw, in this order, the task (when only its kind is given), the sentence and the scene.

    Args:
        kind_or_task: ``reach``, ``pick``, ``put`` or ``push``, or a whole task.
        seed: of everything that is random.
        held_out: use a phrasing that training never saw.
        variation: jitter, light and distractors; the default has no distractors.

    Raises:
        ConfigurationError: there is no such kind of task.
    """
    random = np.random.default_rng(seed)
    if isinstance(kind_or_task, Task):
        task = kind_or_task
    elif kind_or_task in TASK_KINDS:
        task = random_task(kind_or_task, random)
    else:
        raise ConfigurationError(
            f'unknown task "{kind_or_task}"; tasks are {", ".join(TASK_KINDS)}'
        )
    sentence = random_sentence(task, random, held_out)
    return Scenario(task, random_scene(task, random, variation), sentence, seed)
