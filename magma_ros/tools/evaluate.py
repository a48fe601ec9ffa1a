"""``magma evaluate``: success of a policy in simulation, with true latency and exact intervals."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.trials import Ablation, Actor, Condition, Through, Trial, summarise
from magma_ros.pipeline import MODES, Mode
from magma_ros.sim.tasks import TASK_KINDS

EPILOG = """\
examples:
  magma evaluate --task pick --episodes 200
  magma evaluate --task put --mode direct --episodes 200 --json
  magma evaluate --task put --ablation blank      the picture must matter
  magma evaluate --task put --ablation swapped    so must the sentence
  magma evaluate --task reach --through nodes --episodes 10
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma evaluate``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('--task', required=True, choices=TASK_KINDS)
    parser.add_argument('--episodes', type=int, default=50, metavar='N')
    parser.add_argument('--seed', type=int, default=100_000, help='of the first episode')
    parser.add_argument('--mode', choices=MODES, default=None, help='default: of the checkpoint')
    parser.add_argument('--through', choices=get_args(Through), default='core')
    parser.add_argument('--actor', choices=get_args(Actor), default='model')
    parser.add_argument('--ablation', choices=get_args(Ablation), default='none')
    parser.add_argument('--distractors', type=int, default=0, choices=(0, 1, 2))
    parser.add_argument(
        '--light', type=float, default=0.1, help='brightness varies by this share (default 0.1)'
    )
    parser.add_argument(
        '--held-out',
        choices=('mixed', 'all', 'none'),
        default='mixed',
        help='phrasings never trained: every second episode, all, or none',
    )
    parser.add_argument('--model', type=Path, default=None, help='checkpoint folder')
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(options: argparse.Namespace) -> int:
    """Evaluate and print; 0 whatever the success rate is."""
    if options.episodes < 1:
        raise ConfigurationError(f'--episodes {options.episodes}: at least 1 is needed')
    condition = Condition(
        task=options.task,
        mode=options.mode or default_mode(),
        episodes=options.episodes,
        seed=options.seed,
        through=options.through,
        actor=options.actor,
        ablation=options.ablation,
        distractors=options.distractors,
        brightness=options.light,
        held_out=options.held_out,
    )
    summary = evaluate(condition, options.model, quiet=options.json)
    if options.json:
        print(json.dumps(summary))
    else:
        low, high = summary['interval_95']
        print(
            f'{condition.task} {condition.mode} through {condition.through}: '
            f'{summary["successes"]}/{summary["n"]} = {summary["success"]:.3f} '
            f'(95 % interval {low:.3f} to {high:.3f}), '
            f'latency p50 {summary["latency_ms"]["p50"]} ms '
            f'p95 {summary["latency_ms"]["p95"]} ms, '
            f'model {summary["model"]["name"]} {summary["model"]["sha256"][:12]}'
        )
        if summary['failed_seeds']:
            print(f'failed seeds: {summary["failed_seeds"]}')
    return 0


def evaluate(condition: Condition, checkpoint: Path | None, quiet: bool) -> dict:
    """Run all trials of a condition with a progress bar on standard error."""
    if condition.through == 'nodes':
        from magma_ros.evaluation.node_runs import NodeRunner as Runner
    else:
        from magma_ros.evaluation.core_runs import CoreRunner as Runner  # type: ignore[assignment]
    runner = Runner(checkpoint)
    try:
        trials = list(_with_progress(runner.run(condition), condition, quiet))
    finally:
        runner.close()
    acting = {'name': condition.actor, 'sha256': ''}
    if condition.actor == 'model':
        acting = {'name': runner.identity.name, 'sha256': runner.identity.sha256}
    return summarise(condition, trials, acting)


def default_mode() -> Mode:
    """The better of the two modes of magma-nano (docs/nano.md has the numbers)."""
    return 'path'


def _with_progress(trials: Iterator[Trial], condition: Condition, quiet: bool) -> Iterator[Trial]:
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=quiet) as progress:
        bar = progress.add_task(f'{condition.task} {condition.mode}', total=condition.episodes)
        successes = 0
        for count, trial in enumerate(trials, start=1):
            successes += trial.success
            text = f'{condition.task} {condition.mode} {successes}/{count}'
            progress.update(bar, advance=1, description=text)
            yield trial
