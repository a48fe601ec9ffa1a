"""What ``magma try`` found, as a JSON-able record and as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from magma_ros.data_types import FloatArray, PixelTrace
from magma_ros.model.action_model import ModelIdentity
from magma_ros.model.action_tokens import ACTION_NAMES

UNITS = ('m', 'm', 'm', 'rad', 'rad', 'rad', '0 closed, 1 open')


@dataclass(frozen=True)
class Tried:
    """What the model said; None is what was not asked."""

    ids: tuple[int, ...] | None = None
    action: FloatArray | None = None  # (7,) m, rad (roll, pitch, yaw), gripper opening
    statistics: str | None = None
    traces: Sequence[PixelTrace] | None = None
    marks_px: dict[int, FloatArray] | None = None
    text: str | None = None  # of a trace or an answer, as it came


def as_report(
    identity: ModelIdentity,
    tried: Tried,
    assumed_state: dict[str, float] | None,
    saved: Path | None,
) -> dict[str, Any]:
    """Only what was asked; pixels are those of the picture, deltas are in m and rad."""
    report: dict[str, Any] = {'model': identity.name, 'sha256': identity.sha256}
    if assumed_state is not None:
        report['assumed_state'] = assumed_state
    if tried.ids is not None and tried.action is not None:
        report['ids'] = list(tried.ids)
        report['statistics'] = tried.statistics
        report['delta'] = dict(zip(ACTION_NAMES, tried.action.tolist(), strict=True))
    if tried.traces is not None:
        report['traces'] = [_trace_report(trace) for trace in tried.traces]
    if tried.marks_px is not None:
        report['marks_px'] = {mark: place.tolist() for mark, place in tried.marks_px.items()}
    if tried.text is not None:
        report['text'] = tried.text
    if saved is not None:
        report['saved'] = str(saved)
    return report


def _trace_report(trace: PixelTrace) -> dict[str, Any]:
    return {
        'mark': trace.mark,
        'start_px': trace.start_px.tolist(),
        'points_px': trace.points_px.tolist(),
        'events': {index: event.value for index, event in trace.events.items()},
    }


def print_report(report: dict[str, Any]) -> None:
    """The same for people, with units."""
    console = Console(highlight=False, markup=False)
    console.print(f'{report["model"]} {report["sha256"][:12]}')
    if 'assumed_state' in report:
        values = ' '.join(f'{value:g}' for value in report['assumed_state'].values())
        console.print(f'the arm was assumed to be at --state {values}')
    if 'ids' in report:
        console.print(_action_table(report))
    for trace in report.get('traces', ()):
        events = ', '.join(trace['events'].values()) or 'no gripper events'
        console.print(f'mark {trace["mark"]}: {len(trace["points_px"])} points; {events}')
    if report.get('traces') == []:
        console.print('no trace in the answer')
    for mark, (x, y) in report.get('marks_px', {}).items():
        console.print(f'mark {mark} at x {x:.0f}, y {y:.0f} px')
    if report.get('marks_px') == {}:
        console.print('no marks in the answer')
    if 'text' in report:
        console.print(report['text'].strip())
    if 'saved' in report:
        console.print(f'saved {report["saved"]}')


def _action_table(report: dict[str, Any]) -> Table:
    table = Table(title=f'action by the statistics {report["statistics"]}')
    table.add_column('')
    table.add_column('token', justify='right')
    table.add_column('value', justify='right')
    table.add_column('unit')
    delta = report['delta']
    for name, token, unit in zip(delta, report['ids'], UNITS, strict=True):
        table.add_row(name, str(token), f'{delta[name]:.4f}', unit)
    return table
