"""Session files that differ in one thing, and runners that need no simulation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.evaluation.sessions.trial_runner import Attempt
from magma_ros.model.action_model import ModelIdentity

TABLE: dict[str, Any] = {
    'title': 'Who is best?',
    'seed': 3,
    'through': 'core',
    'tasks': {'reach': {'kind': 'reach'}},
    'layouts': {'first_seed': 10, 'count': 3},
    'conditions': {
        'steady_hand': {'kind': 'simulated_operator', 'noise_m': 0.0, 'skill': 1.0},
        'shaky_hand': {'kind': 'simulated_operator', 'noise_m': 0.01},
        'nano_straight': {'kind': 'policy', 'mode': 'direct'},
    },
}
SECRET = ModelIdentity('secret-model-7', 'ab' * 32)


def write_table(path: Path, change: Callable[[dict], Any] = lambda table: None) -> Path:
    """A session file that ``change`` was done to."""
    table = copy.deepcopy(TABLE)
    change(table)
    with path.open('w', encoding='utf-8') as file:
        YAML().dump(table, file)
    return path


class ScriptedRunner:
    """Lets ``act`` decide about every attempt; a record, or a dict of what to say in it."""

    def __init__(self, act: Callable[[Attempt], dict[str, Any]]) -> None:
        self._act = act
        self.attempts: list[Attempt] = []
        self.is_closed = False

    def __call__(self, *_: object) -> ScriptedRunner:
        return self

    def run(self, attempt: Attempt) -> TrialRecord:
        self.attempts.append(attempt)
        return attempt.record(**{'ended': 'time', **self._act(attempt)})

    def close(self) -> None:
        self.is_closed = True
