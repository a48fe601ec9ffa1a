"""``magma evaluate``: success of a policy in simulation, with true latency and exact intervals."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.suite import SUITE, full_table
from magma_ros.evaluation.trials import Ablation, Actor, Condition, Through, Trial, summarise
from magma_ros.model.backends.acting_model import ModelChoice
from magma_ros.model.remote.server_address import is_chat_address
from magma_ros.pipeline import MODES, Mode
from magma_ros.sim.scene import CAMERA_PLACES_M
from magma_ros.sim.tasks import TASK_KINDS
from magma_ros.tools.model_options import add_model_options, local_settings

EPILOG = """\
examples:
  magma evaluate --task pick --episodes 200
  magma evaluate --task put --mode direct --episodes 200 --json
  magma evaluate --task put --ablation blank      the picture must matter
  magma evaluate --task put --ablation swapped    so must the sentence
  magma evaluate --task put --actor expert-path   path mode with a perfect path
  magma evaluate --task reach --through nodes --episodes 10
  magma evaluate --task pick --model http://gpu:8000/act   an OpenVLA server as a baseline
  magma evaluate --task pick --model 'ws://gpu:8000?actions=bridge'   an openpi server
  magma evaluate --suite runs/suite --processes 2   everything docs/nano.md shows; resumable
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma evaluate``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--task', choices=TASK_KINDS)
    what.add_argument(
        '--suite', type=Path, metavar='FOLDER', help='every published condition, a file for each'
    )
    parser.add_argument('--processes', type=int, default=1, help='of --suite')
    parser.add_argument('--episodes', type=int, default=50, metavar='N')
    parser.add_argument('--seed', type=int, default=100_000, help='of the first episode')
    parser.add_argument(
        '--mode', choices=MODES, default=None, help='default: path; for a server, direct'
    )
    parser.add_argument('--through', choices=get_args(Through), default='core')
    parser.add_argument(
        '--actor',
        choices=get_args(Actor),
        default='model',
        help="who acts; expert-path: the model's path is replaced by the scripted expert's",
    )
    parser.add_argument('--ablation', choices=get_args(Ablation), default='none')
    parser.add_argument('--distractors', type=int, default=0, choices=(0, 1, 2))
    parser.add_argument(
        '--camera',
        choices=tuple(CAMERA_PLACES_M),
        default='front',
        help='where it stands; magma-nano knows the front only',
    )
    parser.add_argument(
        '--light', type=float, default=0.1, help='brightness varies by this share (default 0.1)'
    )
    parser.add_argument(
        '--held-out',
        choices=('mixed', 'all', 'none'),
        default='mixed',
        help='phrasings never trained: every second episode, all, or none',
    )
    add_model_options(parser, may_be_remote=True)
    parser.add_argument(
        '--statistics', metavar='KEY', help='of the actions; default: those the model names'
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(options: argparse.Namespace) -> int:
    """Evaluate and print; 0 whatever the success rate is."""
    if options.episodes < 1:
        raise ConfigurationError(f'--episodes {options.episodes}: at least 1 is needed')
    choice = ModelChoice(options.model or '', options.statistics, local_settings(options))
    if options.suite is not None:
        return run_suite(options.suite, choice, options.processes)
    condition = Condition(
        task=options.task,
        mode=options.mode or default_mode(choice),
        episodes=options.episodes,
        seed=options.seed,
        through=options.through,
        actor=options.actor,
        ablation=options.ablation,
        distractors=options.distractors,
        brightness=options.light,
        camera_place=options.camera,
        held_out=options.held_out,
    )
    summary = evaluate(condition, choice, quiet=options.json)
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
        for why, count in summary['refusals'].items():
            print(f'no usable answer to {count} pictures: {why}')
        if summary['failed_seeds']:
            print(f'failed seeds: {summary["failed_seeds"]}')
    return 0


def run_suite(folder: Path, choice: ModelChoice, processes: int) -> int:
    """Run what ``folder`` lacks, write ``folder/results.json`` and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    lacking = [name for name in SUITE if not (folder / f'{name}.json').is_file()]
    alone = [name for name in lacking if SUITE[name].through == 'nodes']  # they need the machine
    context = multiprocessing.get_context('spawn')
    with (
        ProcessPoolExecutor(max(1, processes), mp_context=context) as pool,
        Progress(console=Console(file=sys.stderr)) as progress,
    ):
        bar = progress.add_task('conditions', total=len(lacking))
        together = [name for name in lacking if name not in alone]
        jobs = [pool.submit(_run_of_suite, name, folder, choice) for name in together]
        for job in as_completed(jobs):
            progress.update(bar, advance=1, description=job.result())
        for name in alone:
            _run_of_suite(name, folder, choice)
            progress.update(bar, advance=1, description=name)
    results = {
        name: json.loads((folder / f'{name}.json').read_text(encoding='utf-8')) for name in SUITE
    }
    models = {one['model']['sha256'] for one in results.values() if one['actor'] == 'model'}
    if len(models) > 1:
        raise ConfigurationError(
            f'{folder} holds results of {len(models)} different models: give an empty folder'
        )
    (folder / 'results.json').write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    print(full_table(results), end='')
    return 0


def _run_of_suite(name: str, folder: Path, choice: ModelChoice) -> str:
    """One condition in a process of its own; its name."""
    summary = evaluate(SUITE[name], choice, quiet=True)
    part = folder / f'{name}.json.part'  # an interrupted write must not look finished
    part.write_text(json.dumps(summary), encoding='utf-8')
    part.replace(folder / f'{name}.json')
    return name


def evaluate(condition: Condition, choice: ModelChoice, quiet: bool) -> dict:
    """Run all trials of a condition with a progress bar on standard error."""
    if condition.through == 'nodes':
        from magma_ros.evaluation.node_runs import NodeRunner as Runner
    else:
        from magma_ros.evaluation.core_runs import CoreRunner as Runner  # type: ignore[assignment]
    runner = Runner(choice)
    try:
        trials = list(_with_progress(runner.run(condition), condition, quiet))
    finally:
        runner.close()
    acting = {'name': condition.actor, 'sha256': ''}
    if condition.actor == 'model':
        acting = {'name': runner.identity.name, 'sha256': runner.identity.sha256}
    return summarise(condition, trials, acting)


def default_mode(choice: ModelChoice) -> Mode:
    """The better one of magma-nano (docs/nano.md has the numbers); what every server can do."""
    return 'direct' if choice.is_remote and not is_chat_address(choice.model) else 'path'


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
