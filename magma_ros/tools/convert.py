"""``magma data``: check recordings, and make datasets of them."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from magma_ros.errors import ConfigurationError, EnvironmentMissing
from magma_ros.tools import label_traces

if TYPE_CHECKING:
    from magma_ros.dataset.export.conversion_rules import ConversionRules

EPILOG = """\
examples:
  magma data check runs/episodes                       a grade for each episode, and why
  magma data convert runs/episodes --to magma --out sets/cubes
  magma data convert runs/episodes --to lerobot --rate 30 --size 0 --out sets/cubes-lerobot
  magma data stats sets/cubes                          quantiles of the actions of a dataset
  magma data traces runs/episodes/EPISODE              a video of the labels, to look at

BAGS are folders or files of rosbag2 (MCAP or sqlite3, also compressed), or folders of such bags.
docs/data.md says what is checked, what is left out, and how to map another robot's topics.
"""
FORMATS = ('lerobot', 'magma', 'parquet', 'hdf5', 'rlds')
EXECUTORS = ('local', 'ray')
MODULES = ('av', 'jinja2', 'pyarrow', 'rosbags')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma data``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest='action', metavar='<action>', required=True)
    for name, text in (
        ('check', 'grade episodes without writing a dataset'),
        ('convert', 'write a dataset; goes on where it was interrupted'),
    ):
        action = actions.add_parser(
            name, help=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        action.add_argument('bags', nargs='+', type=Path)
        if name == 'convert':
            action.add_argument('--to', choices=FORMATS, required=True, help='format')
            action.add_argument('--out', type=Path, required=True, help='folder to be made')
            action.add_argument('--name', default='', help='of the dataset; empty: of the folder')
            action.add_argument(
                '--workers', type=int, default=os.cpu_count(), help='processes; ray: all CPUs'
            )
            action.add_argument(
                '--executor', choices=EXECUTORS, default='local', help='ray: on many machines'
            )
            action.add_argument('--validation', type=float, default=0.1, help='share of the bags')
            action.add_argument('--traces', action='store_true', help='Trace-of-Mark labels, too')
        else:
            action.add_argument('--report', type=Path, help='folder for report.html and .json')
            action.add_argument('--json', action='store_true', help='print one JSON object')
        _add_rules(action)
    traces = actions.add_parser('traces', help='film the Trace-of-Mark labels of a recording')
    label_traces.add_arguments(traces)
    stats = actions.add_parser('stats', help='show the statistics of a dataset')
    stats.add_argument('dataset', type=Path, help='its folder, or a dataset_statistics.json')
    stats.add_argument('--json', action='store_true', help='print one JSON object')


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('what a step is')
    group.add_argument('--mapping', default='wx250s', help='of config/mappings, or a .yaml')
    group.add_argument('--rate', type=float, default=5.0, help='steps per second')
    group.add_argument('--size', type=int, default=256, help='side of pictures; 0: as recorded')
    group.add_argument('--actions', choices=('states', 'chunks'), default='states')
    group.add_argument('--convention', choices=('bridge', 'droid'), default='bridge')
    group.add_argument(
        '--rotation', choices=('euler', 'rotation_vector', 'bridge_naive'), default='euler'
    )
    group.add_argument(
        '--no-ops',
        choices=('drop', 'keep', 'auto'),
        default='auto',
        help='steps without motion; auto: kept for lerobot, whose videos have a clock',
    )
    group = parser.add_argument_group('what an episode is')
    group.add_argument('--by', choices=('bag', 'pause', 'marker'), default='bag')
    group.add_argument('--pause', type=float, default=2.0, help='s, that divides a bag')
    group.add_argument('--marker', default='', help='topic of strings: start ..., stop ...')
    group.add_argument('--failures', action='store_true', help='take failed episodes, too')
    group.add_argument('--worst', choices=('A', 'B', 'C', 'D'), default='C', help='grade to take')
    group.add_argument(
        '--despite-damage', action='store_true', help='read on behind what is damaged'
    )


def run(options: argparse.Namespace) -> int:
    """Do it; 1 when an episode is left out or graded D.

    Raises:
        EnvironmentMissing: the libraries of the data extra are not installed.
    """
    console = Console(highlight=False, soft_wrap=True)
    if options.action == 'stats':
        return _stats(options, console)
    if options.action == 'traces':
        return label_traces.run(options)
    missing = [name for name in MODULES if find_spec(name) is None]
    if missing:
        raise EnvironmentMissing(f'{", ".join(missing)} not installed: pip install .[data]')
    action: Callable[[argparse.Namespace, Console], int]
    action = _check if options.action == 'check' else _convert
    return action(options, console)


def _convert(options: argparse.Namespace, console: Console) -> int:
    from magma_ros.dataset.export.conversion import convert

    if options.workers < 1:
        raise ConfigurationError(f'--workers {options.workers}: give 1 or more')
    rules = _rules(options, options.to, options.name or options.out.name.lower())
    rules = replace(rules, validation_share=options.validation, with_traces=options.traces)
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task('episodes', total=None)

        def show(name: str, done: int, of: int) -> None:
            bar.update(task, description=_shown(name), completed=done, total=of)

        made = convert(
            _bags(options.bags), options.out, rules, options.workers, show, options.executor
        )
    report = made.report
    _print_episodes(report['episodes'], console)
    for one in report['excluded']:
        console.print(_shown(f'left out: {one["episode"]}: {one["reason"]}'))
    counts = f'{len(report["train"])} + {len(report["validation"])} episodes'
    what = 'written' if made.is_new else 'is there already'
    console.print(f'{options.out} {what}: {report["steps"]} steps in {counts}', markup=False)
    console.print(f'{options.out / "report.html"} says how good they are', markup=False)
    return 1 if report['excluded'] else 0


def _check(options: argparse.Namespace, console: Console) -> int:
    from magma_ros.dataset.checks.report_page import report_page
    from magma_ros.dataset.export.conversion import plan_episodes
    from magma_ros.dataset.export.episode_conversion import check_episode

    jobs, refused = plan_episodes(_bags(options.bags), _rules(options, 'magma', 'check'))
    episodes = [check_episode(job) for job in jobs]
    excluded = [{'episode': name, 'reason': why} for name, why in refused]
    excluded += [
        {'episode': one['name'], 'reason': one['excluded']} for one in episodes if one['excluded']
    ]
    kept = [one for one in episodes if not one['excluded']]
    report = {
        'dataset': 'check',
        'episodes': episodes,
        'excluded': excluded,
        'train': [one['name'] for one in kept],
        'validation': [],
        'steps': sum(one['steps'] for one in kept),
    }
    if options.report is not None:
        options.report.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, indent=1, sort_keys=True)
        (options.report / 'report.json').write_text(text, encoding='utf-8')
        (options.report / 'report.html').write_text(report_page(report), encoding='utf-8')
    if options.json:
        print(json.dumps(report))
    else:
        _print_episodes(episodes, console)
        for one in excluded:
            console.print(_shown(f'would be left out: {one["episode"]}: {one["reason"]}'))
    return 1 if excluded else 0


def _stats(options: argparse.Namespace, console: Console) -> int:
    from magma_ros.model.action_scaling import load_statistics

    path = options.dataset
    path = path / 'dataset_statistics.json' if path.is_dir() else path
    statistics = load_statistics(None, path)
    content = json.loads(path.read_text(encoding='utf-8'))[statistics.key]
    if options.json:
        print(json.dumps(content))
        return 0
    table = Table('', 'x m', 'y m', 'z m', 'roll', 'pitch', 'yaw rad', 'gripper')
    for name in ('q01', 'q99', 'mean', 'std', 'min', 'max'):
        if name in content['action']:
            table.add_row(name, *(f'{value:.5f}' for value in content['action'][name]))
    count = content.get('num_transitions', '?')
    console.print(_shown(f'{statistics.key}: {count} steps'))
    console.print(table)
    return 0


def _rules(options: argparse.Namespace, to: str, name: str) -> ConversionRules:
    from magma_ros.dataset.actions.conventions import CONVENTIONS
    from magma_ros.dataset.actions.steps import NoOpRules
    from magma_ros.dataset.export import conversion_rules
    from magma_ros.dataset.features.mapping import load_mapping
    from magma_ros.dataset.features.sampling import SamplingRules
    from magma_ros.dataset.reading.segments import SegmentRules

    assert get_args(conversion_rules.Format) == FORMATS
    convention = CONVENTIONS[options.convention]
    drops = to != 'lerobot' if options.no_ops == 'auto' else options.no_ops == 'drop'
    return conversion_rules.ConversionRules(
        name,
        to,  # type: ignore[arg-type]  # one of FORMATS
        load_mapping(options.mapping),
        SamplingRules(options.rate, options.size),
        replace(convention, source=options.actions, turn=options.rotation),
        NoOpRules(is_on=drops),
        SegmentRules(options.by, options.pause, options.marker),
        options.despite_damage,
        options.failures,
        options.worst,
    )


def _bags(paths: Sequence[Path]) -> list[Path]:
    """Bags as they were given; folders of bags as what they hold."""
    from magma_ros.dataset.reading.bag_folder import find_bag_folders

    return [bag for path in paths for bag in find_bag_folders(path)]


def _print_episodes(episodes: Sequence[dict[str, Any]], console: Console) -> None:
    table = Table('episode', 'grade', 'seconds', 'steps', 'what was found')
    for one in episodes:
        found = '\n'.join(f'{each["check"]}: {each["text"]}' for each in one['findings'])
        seconds, steps = f'{one["duration_s"]:.1f}', str(one['steps'])
        table.add_row(_shown(one['name']), one['grade'], seconds, steps, _shown(found))
    console.print(table)


def _shown(text: str) -> str:
    """Text of a bag as it may be printed: no control characters, no markup."""
    plain = ''.join(one if one.isprintable() or one == '\n' else '?' for one in text)
    return escape(plain)
