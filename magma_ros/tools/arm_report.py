"""What ``magma arm-check`` found, as a JSON-able record and as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from magma_ros.motion.arming import CheckResult, Outcome, failed_names
from magma_ros.motion.commissioning.records import TURNS, Mismatch, Stroke

MARKS = {Outcome.PASSED: '[green]ok[/]', Outcome.FAILED: '[red]no[/]'}


@dataclass
class ArmReport:
    """Grows while the arm is tried out."""

    arm: str
    checks: tuple[CheckResult, ...] = ()
    mismatches: list[Mismatch] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    gripper_m: tuple[float, float] | None = None  # its joint when told to open and to close
    stopped: str = ''  # why the arm was left alone; empty: everything was tried

    @property
    def is_right(self) -> bool:
        """Whether everything was tried and nothing is wrong."""
        tried_all = self.gripper_m is not None and not self.stopped
        return tried_all and not self.mismatches and not failed_names(self.checks)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: lengths in m, angles in rad."""
        return {
            'arm': self.arm,
            'is_right': self.is_right,
            'stopped': self.stopped,
            'checks': [
                {'name': check.name, 'outcome': check.outcome.value, 'next_step': check.text}
                for check in self.checks
            ],
            'mismatches': [{'kind': one.kind.value, 'text': one.text} for one in self.mismatches],
            'strokes': [
                {
                    'name': stroke.name,
                    'sent': stroke.sent.round(5).tolist(),
                    'moved': stroke.tool_moved.round(5).tolist(),
                    'surprise': stroke.surprise,
                    'was_seen': stroke.was_seen,
                }
                for stroke in self.strokes
            ],
            'gripper_m': self.gripper_m,
        }


def print_checks(checks: Sequence[CheckResult], console: Console) -> None:
    """Every check, and what to do about those that fail."""
    table = Table('', 'arming check', 'next step')
    for check in checks:
        table.add_row(MARKS[check.outcome], check.name, check.text)
    console.print(table)


def describe_stroke(stroke: Stroke) -> str:
    """One line: how far it was told to go along or about its axis, and how far it went."""
    half = slice(3, 6) if stroke.axis in TURNS else slice(0, 3)
    sent, moved = stroke.sent[half], stroke.tool_moved[half]
    if not sent.any():
        return f'{stroke.name:>7}  {stroke.surprise or "still"}'
    if stroke.axis in TURNS:
        sent, moved, unit = np.degrees(sent), np.degrees(moved), 'degrees'
    else:
        sent, moved, unit = 1000 * sent, 1000 * moved, 'mm'
    return (
        f'{stroke.name:>7}  sent {_written(sent)}, moved {_written(moved)} {unit} '
        f'{stroke.surprise}'.rstrip()
    )


def print_verdict(report: ArmReport, console: Console) -> None:
    """What is wrong, or that nothing is."""
    for mismatch in report.mismatches:
        console.print(f'[red]{mismatch.kind.value}[/]: {mismatch.text}')
    if report.stopped:
        console.print(f'Stopped: {report.stopped}')
    if failed := failed_names(report.checks):
        console.print(f'To put right: {", ".join(failed)}.')
    if report.is_right:
        console.print(f'The arm moves as the profile {report.arm} says.')


def _written(values: np.ndarray) -> str:
    return ' '.join(f'{value:+6.1f}' for value in values.tolist())
