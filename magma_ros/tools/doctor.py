"""``magma doctor``: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from magma_ros.tools import (
    camera_checks,
    clock_checks,
    graph_checks,
    machine_checks,
    software_checks,
)
from magma_ros.tools.finding import Finding

Check = Callable[[], Finding | list[Finding]]
CHECKS: tuple[Check, ...] = (
    machine_checks.check_python,
    machine_checks.check_compiler,
    software_checks.check_ros,
    software_checks.check_messages,
    software_checks.check_domain,
    machine_checks.check_shared_memory,
    machine_checks.check_real_time,
    machine_checks.check_rendering,
    software_checks.check_onnxruntime,
    software_checks.check_checkpoint,
    software_checks.check_torch,
    machine_checks.check_gpu,
    machine_checks.check_disk,
    camera_checks.check_realsense,
    camera_checks.check_video_devices,
    clock_checks.check_clock,
)
AT_ONCE = 4  # checks wait for programs, most of the time

MARKS = {True: '[green]ok[/]', False: '[red]missing[/]', None: '[yellow]note[/]'}


def checks_for(arm: str) -> tuple[Check, ...]:
    """All checks, those of an arm and of what runs among them."""
    of_arm = (graph_checks.check_arm_profile, graph_checks.check_graph)
    return (*CHECKS, *(partial(check, arm) for check in of_arm))


def collect_findings(checks: Sequence[Check]) -> list[Finding]:
    """Findings of all checks, in order; takes some seconds, since each is bounded in time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda check: check(), checks))
    return [one for each in found for one in (each if isinstance(each, list) else [each])]


def print_findings(findings: Sequence[Finding], console: Console | None = None) -> None:
    """Print a table, and one sentence that sums it up."""
    console = console or Console()
    table = Table('', 'topic', 'found', 'what to do')
    for finding in findings:
        texts = (finding.topic, finding.what, finding.next_step)
        table.add_row(MARKS[finding.ok], *map(escape, texts))  # extras are in brackets
    console.print(table)
    missing = [finding.topic for finding in findings if finding.ok is False]
    if missing:
        console.print(f'Missing: {", ".join(missing)}.')
    else:
        console.print('Everything that is needed is there.')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma doctor``."""
    parser.add_argument('--arm', default='wx250s', help='a file of config/arms')


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when something needed is missing."""
    findings = collect_findings(checks_for(arguments.arm))
    print_findings(findings)
    return int(any(finding.ok is False for finding in findings))
