"""What ``magma demo`` prints: a line for each episode, then the tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from magma_ros.evaluation.demo_report import DemoReport
from magma_ros.evaluation.node_session import EpisodeRecord


def describe_episode(record: EpisodeRecord) -> str:
    """One line: what was said, how it went, how long it took."""
    result = 'done' if record.success else 'NOT DONE'
    reasons = f'  ({", ".join(record.reasons)})' if record.reasons else ''
    return (
        f'{record.task:5}  seed {record.seed:<6}  {result:8}  {record.duration_s:5.1f} s  '
        f'"{record.instruction}"{reasons}'
    )


def print_tables(report: DemoReport, console: Console) -> None:
    """Success, latency per stage and lateness of control."""
    success = Table(title='success', title_justify='left')
    for column in ('task', 'done', 'rate', 'exact 95 % interval'):
        success.add_column(column)
    for one in report.success():
        low, high = one.interval_95
        rate = f'{one.successes / one.episodes:.2f}'
        done = f'{one.successes}/{one.episodes}'
        success.add_row(one.task, done, rate, f'{low:.2f} to {high:.2f}')
    times = Table(title='time', title_justify='left')
    for column in ('stage', 'p50 / ms', 'p95 / ms', 'pictures'):
        times.add_column(column)
    for stage in report.stages():
        times.add_row(stage.stage, f'{stage.p50_ms:.1f}', f'{stage.p95_ms:.1f}', str(stage.count))
    late = report.control_lateness()
    console.print(success, times)
    console.print(
        f'control lateness: p50 {late.p50_ms:.2f} ms, p99 {late.p99_ms:.2f} ms, '
        f'max {late.max_ms:.2f} ms'
    )
    if report.set_up_s is not None:
        console.print(f'command to first motion: {report.set_up_s:.0f} s')
