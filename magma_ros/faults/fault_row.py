"""A row of the matrix as data: what goes wrong, how, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from magma_ros.faults.rig import Rig

TICK_S = 0.02
BRAKE_S = 3 * TICK_S  # after the fault counts as noticed: the first decelerating command
REST_S = BRAKE_S + 0.15  # and slower than 1 mm/s


@dataclass(frozen=True)
class Seen:
    """What a trial looked like, for checks of its own."""

    fault_s: float  # when it was applied, monotonic
    verdict: dict[str, Any]  # of the judge
    state: dict[str, str]  # of the controller at the end
    history: list[tuple[float, str, str]]  # (when, mode, reason) since the fault


Inject = Callable[[Rig], float]  # applies the fault; when it was applied
Check = Callable[[Rig, Seen], list[str]]  # what is not as it should be


@dataclass(frozen=True)
class Trial:
    """One injection and what it must lead to.

    ``notice_s`` is after how long the fault counts as noticed; braking and rest have their usual
    bounds from then on. ``may_move``: nothing stops the arm, only the envelope is judged.
    """

    inject: Inject
    modes: tuple[str, ...]  # of the controller, any of them in the end; none: it has gone
    reasons: tuple[str, ...] = ()  # any of them on the way; none: not asked
    refused: tuple[str, ...] = ()  # reasons that chunks must have been refused for
    begin: str = 'moving'
    prepare: Callable[[Rig], None] | None = None  # before the arm is where it begins
    notice_s: float = 0.0
    may_move: bool = False
    brakes: bool = True  # whether the first decelerating command has a bound of its own
    travel_m: float | None = None
    rest_s: float | None = None  # in the place of notice_s and the usual bound
    watch_s: float = 1.5  # after the mode was reached: nothing may move again by itself
    mode_s: float = 5.0  # until the mode is reached
    check: Check | None = None


@dataclass(frozen=True)
class BadStart:
    """A node that must not come to life: it is started with something wrong, and says so."""

    node: str
    parameters: dict[str, Any] = field(default_factory=dict)
    says: str = ''  # part of what it prints
    exit_code: int = 2
    make_parameters: Callable[[Path], dict[str, Any]] | None = None  # from an empty directory


@dataclass(frozen=True)
class Row:
    """One row of the matrix.

    ``repeats`` runs the trials so often, with the seed counting up. ``note`` says how the row
    differs from the specification, in the words of the report.
    """

    id: str
    fault: str
    trials: tuple[Trial | BadStart, ...]
    rig: str = 'policy'  # see rig_programs.py; '': none is needed
    repeats: int = 1
    note: str = ''


@dataclass(frozen=True)
class RowResult:
    """What came of a row."""

    row: Row
    complaints: tuple[str, ...] = ()
    brake_s: float | None = None  # the longest of its trials; None: not asked
    rest_s: float | None = None
    rest_bound_s: float | None = None
    violations: int = 0
    restarts: int = 0
    modes: tuple[str, ...] = field(default_factory=tuple)
    reasons: tuple[str, ...] = field(default_factory=tuple)

    @property
    def is_passed(self) -> bool:
        """Whether there is nothing to complain of."""
        return not self.complaints
