"""What a check has found, and the grade that follows from all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal['note', 'flag', 'fault']
# The worst finding decides. D is left out of datasets unless somebody asks for it.
GRADES: dict[Severity, str] = {'note': 'B', 'flag': 'C', 'fault': 'D'}


@dataclass(frozen=True)
class Finding:
    """One thing somebody should know about an episode."""

    check: str  # rates, gaps, skew, pictures, actions, gripper, idle, labels, motion, view, ...
    severity: Severity
    text: str


def grade(findings: Iterable[Finding]) -> str:
    """A: nothing was found; B: notes; C: flags; D: faults."""
    return max((GRADES[finding.severity] for finding in findings), default='A')
