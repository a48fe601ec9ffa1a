"""The published evaluation of magma-nano: which conditions it has, and the tables of its results.

``magma evaluate --suite FOLDER`` runs it; ``docs/nano_results.json`` holds what the README and
docs/nano.md show, and a test compares them with the checkpoint that is shipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.trials import Ablation, Condition
from magma_ros.pipeline import MODES
from magma_ros.sim.tasks import TASK_KINDS

Result = Mapping[str, Any]  # what ``trials.summarise`` gave

EPISODES = 200
_ABLATIONS: tuple[Ablation, ...] = ('blank', 'swapped')
SUITE: dict[str, Condition] = {
    **{f'{task}_{mode}': Condition(task, mode, EPISODES) for mode in MODES for task in TASK_KINDS},
    **{
        f'{task}_path_hard': Condition(task, 'path', 100, distractors=2, brightness=0.2)
        for task in TASK_KINDS[:3]
    },
    **{
        f'{task}_path_{ablation}': Condition(task, 'path', 50, ablation=ablation)
        for task in TASK_KINDS[:3]
        for ablation in _ABLATIONS
    },
    **{f'{task}_random': Condition(task, 'direct', 50, actor='random') for task in TASK_KINDS[:3]},
    'pick_path_nodes': Condition('pick', 'path', 12, through='nodes'),
}
_VARIANTS = {'blank': 'grey picture', 'swapped': "another cube's colour said"}


def read_results(path: Path) -> dict[str, Result]:
    """Results by name of their condition; raises ConfigurationError for a file of another kind."""
    results = json.loads(path.read_text(encoding='utf-8'))
    unknown = sorted(set(results) - set(SUITE))
    if unknown:
        raise ConfigurationError(
            f'{path}: conditions {unknown} are not in the suite; run it again'
        )
    return results


def mode_table(results: Mapping[str, Result]) -> str:
    """Tasks against modes, as Markdown."""
    rows = [
        (task, *(_share(results.get(f'{task}_{mode}')) for mode in MODES[::-1]))
        for task in TASK_KINDS
    ]
    heads = ('task', *(f'{mode} mode' for mode in MODES[::-1]))
    return _table(heads, rows)


def full_table(results: Mapping[str, Result]) -> str:
    """Every condition, as Markdown."""
    rows = [
        (_describe(SUITE[name]), 'none' if result['actor'] == 'random' else result['mode'],
         _share(result), _latency(result))
        for name, result in results.items()
    ]  # fmt: skip
    return _table(('task', 'mode', 'success (95 % interval)', 'latency p50, p95'), rows)


def _describe(condition: Condition) -> str:
    said: list[str] = [condition.task]
    if condition.distractors:
        said.append(f'{condition.distractors} distractors, light +-{condition.brightness:.0%}')
    if condition.ablation != 'none':
        said.append(_VARIANTS[condition.ablation])
    if condition.actor != 'model':
        said.append(f'{condition.actor} actions')
    if condition.through == 'nodes':
        said.append('through the nodes, in real time')
    return ', '.join(said)


def _share(result: Result | None) -> str:
    if result is None:
        return 'not measured'
    low, high = result['interval_95']
    count = f'{result["successes"]}/{result["n"]}'
    return f'{count} = {result["success"]:.3f} ({low:.3f} to {high:.3f})'


def _latency(result: Result) -> str:
    if result['actor'] != 'model':
        return ''
    return f'{result["latency_ms"]["p50"]:.1f}, {result["latency_ms"]["p95"]:.1f} ms'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ('---',) * len(head), *rows]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)
