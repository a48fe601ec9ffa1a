"""``magma doctor``: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from magma_ros.tools import machine_checks, software_checks
from magma_ros.tools.finding import Finding

CHECKS: tuple[Callable[[], Finding], ...] = (
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
)

MARKS = {True: '[green]ok[/]', False: '[red]missing[/]', None: '[yellow]note[/]'}


def collect_findings(checks: Sequence[Callable[[], Finding]] = CHECKS) -> list[Finding]:
    """Findings of all checks, in order; takes a few seconds."""
    return [check() for check in checks]


def print_findings(findings: Sequence[Finding], console: Console | None = None) -> None:
    """Print a table, and one sentence that sums it up."""
    console = console or Console()
    table = Table('', 'topic', 'found', 'what to do')
    for finding in findings:
        table.add_row(MARKS[finding.ok], finding.topic, finding.what, finding.next_step)
    console.print(table)
    missing = [finding.topic for finding in findings if finding.ok is False]
    if missing:
        console.print(f'Missing: {", ".join(missing)}.')
    else:
        console.print('Everything that is needed is there.')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``magma doctor`` has no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when something needed is missing."""
    findings = collect_findings()
    print_findings(findings)
    return int(any(finding.ok is False for finding in findings))
