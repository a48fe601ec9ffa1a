"""``magma bags``: look at recorded episodes, mend them, cut them, play them."""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from magma_ros.dataset.bag_checks import check_bag, measure_topics
from magma_ros.dataset.bag_metadata import METADATA, read_information
from magma_ros.dataset.bag_reader import bag_files, report_file
from magma_ros.dataset.bag_rewrite import Chunks, cut_bag, rewrite_bag
from magma_ros.dataset.episode_folders import find_bags
from magma_ros.dataset.episode_record import EpisodeRecord, read_record, repaired_record
from magma_ros.dataset.intervention_labels import label_bag
from magma_ros.dataset.mcap_scan import Ending
from magma_ros.errors import ConfigurationError, RecordingError

EPILOG = """\
examples:
  magma bags list                        what is in runs/episodes
  magma bags info EPISODE                topics, rates, who acted and how it ended
  magma bags check EPISODE               1 if something is wrong
  magma bags repair EPISODE              after a crash: end it, index it
  magma bags cut EPISODE NEW --start 2 --end 8
  magma bags play EPISODE --rate 0.5     pictures and transforms; no commands

EPISODE is a folder or an MCAP file, ours or another's.
"""
DEFAULT_ROOT = Path('runs/episodes')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma bags``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest='action', metavar='<action>', required=True)
    listing = actions.add_parser('list', help='one line for each episode of a folder')
    listing.add_argument('root', nargs='?', type=Path, default=DEFAULT_ROOT)
    for name, text in (
        ('info', 'topics, rates and what is known of an episode'),
        ('check', 'say what is wrong: gaps, losses, checksums, cut ends'),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument('bag', type=Path)
        action.add_argument('--json', action='store_true', help='print one JSON object')
    repair = actions.add_parser('repair', help='end a bag that was cut off, and index it anew')
    repair.add_argument('bag', type=Path)
    repair.add_argument('--keep-old', action='store_true', help='leave the old file as *.mcap.old')
    cut = actions.add_parser('cut', help='copy a range of time into a new bag')
    cut.add_argument('bag', type=Path)
    cut.add_argument('target', type=Path)
    for action in (repair, cut):
        action.add_argument('--chunks', choices=get_args(Chunks), default='plain')
    play = actions.add_parser('play', help='publish what is in a bag, without its commands')
    play.add_argument('bag', type=Path)
    play.add_argument('--rate', type=float, default=1.0, help='times its own pace')
    play.add_argument('--topics', default='', help='only these; commas')
    play.add_argument(
        '--allow-commands', action='store_true', help='publish what moves the arm, too'
    )
    for action in (cut, play):
        action.add_argument('--start', type=float, default=0.0, help='seconds since its start')
        action.add_argument('--end', type=float, default=math.inf, help='seconds since its start')


def run(options: argparse.Namespace) -> int:
    """Do it; 1 when check has found something."""
    console = Console(highlight=False, soft_wrap=True)
    return {
        'list': _list,
        'info': _info,
        'check': _check,
        'repair': _repair,
        'cut': _cut,
        'play': _play,
    }[options.action](options, console)


def _list(options: argparse.Namespace, console: Console) -> int:
    table = Table()
    for column in ('episode', 'state', 'seconds', 'messages', 'MB', 'success', 'notes'):
        table.add_column(column)
    for folder in find_bags(options.root):
        name = folder.relative_to(options.root).as_posix()
        size = sum(f.stat().st_size for f in folder.glob('*.mcap') if not f.is_symlink())
        try:
            record = read_record(folder)
            if (folder / METADATA).is_file():
                about = read_information(folder / METADATA)
                seconds = f'{int(about["duration"]["nanoseconds"]) * 1e-9:.1f}'
                state, count = 'whole', str(int(about['message_count']))
            else:
                state, seconds, count = 'unfinished', '', ''
        except (RecordingError, LookupError, TypeError, ValueError):
            record, state, seconds, count = None, 'damaged', '', ''
        success = {None: '', True: 'yes', False: 'no'}[record.success if record else None]
        if record is not None and record.discarded:
            state = 'discarded'
        notes = '; '.join(text for _, text in record.notes) if record else ''
        megabytes = f'{size * 1e-6:.1f}'
        table.add_row(shown(name), state, seconds, count, megabytes, success, shown(notes[:60]))
    console.print(table)
    return 0


def _info(options: argparse.Namespace, console: Console) -> int:
    record = read_record(options.bag) if options.bag.is_dir() else None
    files: list[dict[str, Any]] = []
    for file in bag_files(options.bag):
        report = report_file(file)
        files.append(
            {
                'file': file.name,
                'state': report.ending.value,
                'bytes': report.size,
                'seconds': round(report.summary.duration_s, 3),
                'attachments': [one.name for one in report.attachments],
                'topics': {
                    topic: {
                        'type': figures.type_name,
                        'count': len(figures.times_ns),
                        'hz': round(figures.rate_hz, 2),
                    }
                    for topic, figures in sorted(measure_topics(file).items())
                },
            }
        )
    if options.json:
        about = json.loads(record.to_json()) if record else None
        print(json.dumps({'files': files, 'episode': about}))
        return 0
    for one in files:
        console.print(f'{one["file"]}: {one["state"]}, {one["seconds"]} s, {one["bytes"]} bytes')
        table = Table('topic', 'type', 'messages', 'Hz')
        for topic, figures in one['topics'].items():
            count, rate = str(figures['count']), f'{figures["hz"]:.2f}'
            table.add_row(shown(topic), shown(figures['type']), count, rate)
        console.print(table)
        if one['attachments']:
            console.print(shown(f'attached: {", ".join(one["attachments"])}'))
    if record is not None:
        _print_record(record, console)
    return 0


def _print_record(record: EpisodeRecord, console: Console) -> None:
    context = record.context
    how = f'success: {record.success}; ended by: {record.ended_by or "nobody"}'
    console.print(shown(f'{how}; arm: {context.get("arm")}; model: {context.get("model")}'))
    for label in record.interventions:
        start_s = (label['start_ns'] - record.started_ns) * 1e-9
        end_s = (label['end_ns'] - record.started_ns) * 1e-9
        how = f'taken from {label["taken_from"]}'
        how += ', a correction' if label['corrects_policy'] else ''
        console.print(shown(f'by hand, {start_s:.1f} to {end_s:.1f} s: {how}'))
    for at_ns, text in record.notes:
        console.print(shown(f'note, {(at_ns - record.started_ns) * 1e-9:.0f} s: {text}'))
    for text in record.health:
        console.print(shown(text))


def _check(options: argparse.Namespace, console: Console) -> int:
    findings = check_bag(options.bag)
    if options.json:
        print(json.dumps({'findings': findings}))
    else:
        for finding in findings:
            console.print(shown(finding))
        if not findings:
            console.print(f'{options.bag}: nothing is wrong', markup=False)
    return 1 if findings else 0


def _repair(options: argparse.Namespace, console: Console) -> int:
    before = [report_file(file).ending for file in sorted(options.bag.glob('*.mcap'))]
    result = rewrite_bag(options.bag, options.chunks, options.keep_old)
    if any(ending is not Ending.FINISHED for ending in before):
        repaired_record(options.bag, result.lost_bytes, label_bag(options.bag))
    for damage in result.damages:
        console.print(shown(f'left out: {damage}'))
    lost = f'{result.lost_bytes} bytes could not be read'
    console.print(f'{options.bag}: {result.kept} messages kept, {lost}', markup=False)
    return 1 if result.damages else 0


def _cut(options: argparse.Namespace, console: Console) -> int:
    _check_range(options)
    count = cut_bag(options.bag, options.target, options.start, options.end, options.chunks)
    console.print(f'{options.target}: {count} messages', markup=False)
    return 0


def _play(options: argparse.Namespace, console: Console) -> int:
    _check_range(options)
    if not 0.01 <= options.rate <= 100.0:
        raise ConfigurationError(f'--rate {options.rate}: give a number from 0.01 to 100')
    from magma_ros.ros.process_environment import process_environment

    os.environ.update(process_environment())  # read when the first node is made
    from magma_ros.nodes.bag_player import play_bag

    wanted = [name.strip() for name in options.topics.split(',') if name.strip()]
    told = play_bag(
        options.bag,
        wanted,
        options.allow_commands,
        options.rate,
        (options.start, options.end),
        lambda text: console.print(shown(text)),
    )
    console.print(f'{told} messages published')
    return 0


def shown(text: str) -> str:
    """Text of a bag as it may be printed: no control characters, no markup."""
    return escape(''.join(letter if letter.isprintable() else '?' for letter in text))


def _check_range(options: argparse.Namespace) -> None:
    if not 0.0 <= options.start < options.end:
        raise ConfigurationError(
            f'--start {options.start} --end {options.end}: the end comes after the start'
        )
