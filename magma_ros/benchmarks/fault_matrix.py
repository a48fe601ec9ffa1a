"""Faults injected into real processes: how long until the arm rests, and what was broken."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from magma_ros.benchmarks.record import Entry, describe_machine
from magma_ros.faults.fault_row import Row, RowResult
from magma_ros.faults.fault_table import keep_result
from magma_ros.faults.matrix import choose_rows
from magma_ros.faults.row_runs import run_rows

COVERED_GOAL = 60
NEVER_MS = -1.0


def measure(rows: str = '', patience: float = 1.0, results: Path | None = None) -> list[Entry]:
    """Run the matrix, or the rows of these ids.

    Args:
        rows: ids, separated by commas; empty: all.
        patience: every timeout and every bound over its default; 1 is what is promised.
        results: where to keep what ``docs/safety.md`` shows, row by row; None: nowhere.

    Raises:
        ConfigurationError: there is no such row.
    """
    chosen = choose_rows(rows)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave no node behind
    machine = describe_machine()
    domain_id = 20 + os.getpid() % 80
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task, begun = bar.add_task('faults', total=len(chosen)), iter(range(len(chosen)))

        def show(row: Row) -> None:
            bar.update(task, completed=next(begun), description=f'{row.id} {row.fault[:50]}')

        def keep(result: RowResult) -> None:
            said = 'passes' if result.is_passed else '; '.join(result.complaints)
            bar.console.print(f'{result.row.id}: {said}', markup=False, highlight=False)
            if results is not None:
                keep_result(results, result, machine, patience)

        found = run_rows(chosen, patience, domain_id, show, keep)
        bar.update(task, completed=len(chosen), description='faults')
    return entries_of(found)


def entries_of(results: Sequence[RowResult]) -> list[Entry]:
    """One entry for each row, then what holds over all of them.

    A row with a bound on coming to rest has that time (NEVER_MS: it did not), any other the number
    of its violations; complaints fail it either way.
    """
    passed = sum(result.is_passed for result in results)
    return [
        *(_entry_of(result) for result in results),
        Entry('faults-covered', len(results), 'rows', COVERED_GOAL, higher_is_better=True),
        Entry('faults-passed', passed, 'rows', len(results), higher_is_better=True),
        Entry('faults-violations', sum(one.violations for one in results), 'count', 0),
        Entry('faults-restarts', sum(one.restarts for one in results), 'count', 0),
    ]


def _entry_of(result: RowResult) -> Entry:
    name, said = f'faults-{result.row.id}', result.complaints
    if result.rest_bound_s is None or result.rest_s is None:
        return Entry(name, result.violations, 'violations', 0, complaints=said)
    value_ms = round(1000.0 * result.rest_s, 1) if math.isfinite(result.rest_s) else NEVER_MS
    return Entry(name, value_ms, 'ms', round(1000.0 * result.rest_bound_s, 1), complaints=said)
