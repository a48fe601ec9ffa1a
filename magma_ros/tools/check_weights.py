"""``magma check-weights``: what a checkpoint folder holds, without loading it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from magma_ros.errors import EnvironmentMissing

if TYPE_CHECKING:
    from magma_ros.model.weights.folder_report import FolderReport

LISTED_PROBLEMS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma check-weights``."""
    parser.add_argument('directory', type=Path, metavar='DIR', help='folder of a checkpoint')
    parser.add_argument(
        '--hash', action='store_true', help='also the SHA-256 of the model, which reads all of it'
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.epilog = 'exit code 1: it would not load.'


def run(options: argparse.Namespace) -> int:
    """Print the report; 1 when the folder would not load.

    Raises:
        EnvironmentMissing: torch is not installed.
    """
    try:
        from magma_ros.model.weights.folder_report import inspect_folder
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f'{error.name} is not installed: pip install -e ".[torch]"'
        ) from error
    report = inspect_folder(options.directory, with_hash=options.hash)
    if options.json:
        print(json.dumps(report.as_json()))
    else:
        print_report(report, Console())
    return 0 if report.loads else 1


def print_report(report: FolderReport, console: Console) -> None:
    """What is there, what is wrong, and in which number formats it would fit here."""
    console.print(report.directory, markup=False, highlight=False, soft_wrap=True)
    if report.tensors:
        _print_contents(report, console)
    for problem in report.problems[:LISTED_PROBLEMS]:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    if len(report.problems) > LISTED_PROBLEMS:
        console.print(f'and {len(report.problems) - LISTED_PROBLEMS} more')
    console.print('It would load.' if report.loads else 'It would not load.')


def _print_contents(report: FolderReport, console: Console) -> None:
    from magma_ros.model.weights.memory_estimate import format_bytes

    stored = ', '.join(f'{format_bytes(n)} {name}' for name, n in report.bytes_by_dtype.items())
    statistics = ', '.join(report.statistics_keys) or 'none here: choose some when acting'
    contents = Table(show_header=False)
    contents.add_row('model', f'{report.model}{" (random weights)" * report.random_weights}')
    contents.add_row('layout', report.layout)
    contents.add_row('stored', f'{report.tensors} tensors in {report.shards} files, {stored}')
    contents.add_row('action statistics', statistics)
    if report.sha256:
        contents.add_row('SHA-256', Text(report.sha256, overflow='fold'))
    console.print(contents)
    memory = Table('loaded as', 'needs', f'{format_bytes(report.free_bytes)} free')
    for name, needed in report.memory_bytes.items():
        fits = '[green]fits[/]' if needed <= report.free_bytes else '[red]does not fit[/]'
        memory.add_row(name, format_bytes(needed), f'{fits} on {report.device}')
    console.print(memory)
