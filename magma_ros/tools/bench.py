"""``magma bench``: measured figures with their goals, as a table or as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from magma_ros.benchmarks.record import Entry, as_record
from magma_ros.errors import EnvironmentMissing

BENCHMARKS = {
    'image-hop': 'magma_ros.benchmarks.image_hop',
    'control': 'magma_ros.benchmarks.control',
    'control-lateness': 'magma_ros.benchmarks.control_lateness',
    'inference': 'magma_ros.benchmarks.inference',
    'model': 'magma_ros.benchmarks.model',
    'session-statistics': 'magma_ros.benchmarks.session_statistics',
    'perception': 'magma_ros.benchmarks.perception',
    'data': 'magma_ros.benchmarks.data',
    'sim': 'magma_ros.benchmarks.sim_speed',
    'traces': 'magma_ros.benchmarks.trace_labels',
    'takeover': 'magma_ros.benchmarks.takeover',
    'faults': 'magma_ros.benchmarks.fault_matrix',
    'record': 'magma_ros.benchmarks.recording',
}


# These take some minutes; "model" also needs torch and 5 GB of memory, "record" 5 GB of disk.
BY_NAME_ONLY = {'control', 'data', 'model', 'faults', 'record'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma bench``."""
    parser.epilog = (
        'Measure on an idle machine; the printed load says whether it was. "all" leaves out '
        '"data", which needs pip install .[data] and 2 GB of disk; "model", which needs torch, '
        '5 GB of memory and some minutes; "faults", which kills and starts nodes for ten '
        'minutes; "control", which drives each arm with a million hostile actions; and "record", '
        'which writes 5 GB into the present folder and kills a hundred recorders.'
    )
    parser.add_argument('name', nargs='?', default='all', choices=('all', *BENCHMARKS))
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    control = parser.add_argument_group('control')
    control.add_argument(
        '--actions', type=int, default=1_000_000, help='hostile actions for each arm'
    )
    record = parser.add_argument_group('record')
    record.add_argument('--seconds', type=float, default=60.0, help='of recording under load')
    record.add_argument('--kills', type=int, default=100, help='recorders that are killed')
    perception = parser.add_argument_group('perception')
    perception.add_argument(
        '--minutes', type=float, default=0.5, help='of pictures at 30 Hz, for the slope of memory'
    )
    faults = parser.add_argument_group('faults')
    faults.add_argument('--rows', default='', help='only these, such as F01,F43')
    faults.add_argument(
        '--patience', type=float, default=1.0, help='timeouts and bounds, times as long'
    )
    faults.add_argument(
        '--results', type=Path, help='file for python -m magma_ros.tools.fault_page'
    )


def run(options: argparse.Namespace) -> int:
    """Measure; 1 when a goal was missed."""
    names = [options.name]
    if options.name == 'all':
        names = [name for name in BENCHMARKS if name not in BY_NAME_ONLY]
    elif options.name == 'model' and find_spec('torch') is None:
        raise EnvironmentMissing('magma bench model needs torch: pip install .[torch]')
    entries: list[Entry] = []
    given = {
        'control': {'actions': options.actions},
        'perception': {'minutes': options.minutes},
        'record': {'seconds': options.seconds, 'kills': options.kills},
        'faults': {
            'rows': options.rows,
            'patience': options.patience,
            'results': options.results,
        },
    }
    for name in names:
        entries += importlib.import_module(BENCHMARKS[name]).measure(**given.get(name, {}))
    record = as_record(entries)
    if options.json:
        print(json.dumps(record))
    else:
        _print_table(record)
    return 0 if all(entry.is_passed for entry in entries) else 1


def _print_table(record: dict) -> None:
    table = Table(title='{processor}, {cores} cores, load {load_1min}'.format(**record['machine']))
    for column in ('name', 'value', 'unit', 'baseline', 'ratio', 'goal', 'pass'):
        table.add_column(column)
    for entry in record['entries']:
        ratio = '' if entry['ratio'] is None else f'{entry["ratio"]:.3f}'
        baseline = '' if entry['baseline'] is None else f'{entry["baseline"]:g}'
        table.add_row(
            entry['name'],
            f'{entry["value"]:g}',
            entry['unit'],
            baseline,
            ratio,
            f'{entry["goal"]:g}',
            'yes' if entry['pass'] else '\n'.join(('NO', *entry['complaints'])),
        )
    Console().print(table)
