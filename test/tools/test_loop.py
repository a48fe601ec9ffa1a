"""The closed loop does what is missing, in order, and is honest about the gain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from magma_ros.errors import MagmaError
from magma_ros.evaluation.statistics.proportions import exact_interval
from magma_ros.tools import loop
from magma_ros.tools.magma import main

pytest.importorskip('accelerate')
pytest.importorskip('rosbags')


def result(task: str, successes: int, n: int = 50) -> dict[str, Any]:
    interval = exact_interval(successes, n)
    return {'task': task, 'successes': successes, 'n': n, 'interval_95': interval}


@pytest.mark.parametrize(
    ('before', 'after', 'n', 'is_enough'),
    [(20, 45, 50, True), (20, 30, 50, False), (3, 7, 10, False), (45, 20, 50, False)],
)
def test_a_gain_must_be_large_and_sure(before: int, after: int, n: int, is_enough: bool) -> None:
    old = [result(task, before, n) for task in loop.TASKS]
    new = [result(task, after, n) for task in loop.TASKS]

    assert loop.is_better(old, new) is is_enough
    assert f'| all | {2 * before}/{2 * n} = ' in loop.table(old, new)


class Steps:
    """Stands for the commands; notes them and leaves what they would."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.done = folder, []
        monkeypatch.setattr(loop, '_magma', self.magma)
        monkeypatch.setattr(loop, '_record', lambda bags, count: self.leave('record', bags))
        monkeypatch.setattr(loop, '_label', lambda bags, data, paths: self.leave('label', paths))

    def leave(self, step: str, folder: Path) -> None:
        self.done.append(step)
        folder.mkdir(parents=True, exist_ok=True)

    def magma(self, command: list[Any], may_leave_out: bool = False) -> str:
        if command[0] == 'evaluate':
            self.done.append('after' if '--model' in command else 'before')
            task = command[command.index('--task') + 1]
            return json.dumps(result(task, 48 if '--model' in command else 10))
        made = {'data': 'data', 'finetune': 'run/model_onnx'}[command[0]]
        self.leave(command[0], self.folder / made)
        return ''


def test_steps_come_in_order_and_once(tmp_path: Path, monkeypatch, capsys) -> None:
    steps = Steps(tmp_path, monkeypatch)
    command = ['loop', '--folder', str(tmp_path)]

    assert main(command) == 0

    order = ['before', 'before', 'record', 'data', 'label', 'finetune', 'after', 'after']
    assert steps.done == order
    printed = capsys.readouterr().out
    assert '| all | 20/100 = 0.20 (0.13 to 0.29) | 96/100 = 0.96 (0.90 to 0.99) |' in printed
    assert 'CPU minutes' in printed
    assert main(command) == 0
    assert steps.done == [*order, 'record']  # bags that exist are kept by the recording itself


def test_a_step_that_fails_ends_it(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(MagmaError, match='magma evaluate ended with 2'):
        loop._magma(['evaluate', '--task', 'juggle', '--json'])
