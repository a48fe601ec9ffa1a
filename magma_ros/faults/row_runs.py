"""Runs rows: brings the rig to where the fault is wanted, injects, asks judge and witness."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from magma_ros.errors import EnvironmentMissing
from magma_ros.faults.fault_row import BRAKE_S, REST_S, BadStart, Row, RowResult, Seen, Trial
from magma_ros.faults.rig import Rig
from magma_ros.faults.rig_programs import RIG_KINDS, node_words
from magma_ros.ros.process_environment import process_environment

BEFORE_S = 0.1  # of the trace before the fault is judged, too
POLL_S = 0.02
BAD_START_S = 40.0


def run_rows(
    rows: Iterable[Row],
    patience: float,
    domain_id: int,
    on_row: Callable[[Row], None] = lambda row: None,
    on_result: Callable[[RowResult], None] = lambda result: None,
) -> list[RowResult]:
    """Run rows, those of one kind of rig together; told before and after each."""
    order = ['', *RIG_KINDS]
    results: list[RowResult] = []
    grouped = sorted(rows, key=lambda row: order.index(row.rig))
    for kind, group in groupby(grouped, key=lambda row: row.rig):
        if not kind:
            for row in group:
                on_row(row)
                results.append(_run_without_rig(row, domain_id))
                on_result(results[-1])
            continue
        for result in _run_in_rigs(list(group), kind, patience, domain_id, on_row):
            results.append(result)
            on_result(result)
    return sorted(results, key=lambda result: result.row.id)


def _run_in_rigs(
    rows: list[Row], kind: str, patience: float, domain_id: int, on_row: Callable[[Row], None]
) -> Iterator[RowResult]:
    """One rig for all rows; a new one after a row that the rig did not survive."""
    waiting = deque(rows)
    while waiting:
        with Rig(kind, patience, domain_id) as rig:
            while waiting:
                row = waiting.popleft()
                on_row(row)
                try:
                    yield run_row(rig, row)
                except EnvironmentMissing as error:  # the row has failed, the next may not
                    yield RowResult(row, (f'the rig: {error}',))
                    break


def run_row(rig: Rig, row: Row) -> RowResult:
    """All trials of a row, one after the other; the worst of each figure counts."""
    results = [
        _run_trial(rig, row, trial)
        for _ in range(row.repeats)
        for trial in row.trials
        if isinstance(trial, Trial)
    ]
    return _worst(row, results)


def _run_trial(rig: Rig, row: Row, trial: Trial) -> RowResult:
    rig.recover()
    if trial.prepare is not None:
        trial.prepare(rig)
    rig.begin(trial.begin)
    refused_before = rig.state.get('refused', '')
    since_s = time.monotonic() - BEFORE_S
    fault_s = trial.inject(rig)
    reached = _await_mode(rig, trial)
    time.sleep(trial.watch_s)
    state = rig.state
    bounds = _bounds(trial, rig.patience)
    verdict = rig.judge.ask('verdict', since_s=since_s, fault_s=fault_s, bounds=bounds)
    history = [tuple(entry) for entry in rig.chaos.ask('history', since_s=fault_s)['history']]
    seen = Seen(fault_s, verdict, state, history)  # type: ignore[arg-type]
    complaints = [*verdict['complaints'], *reached, *_missing(trial, seen, refused_before)]
    if trial.check is not None:
        complaints += trial.check(rig, seen)
    return RowResult(
        row,
        tuple(complaints),
        None if bounds['brake_s'] is None else _time_s(verdict['brake_s']),
        None if bounds['rest_s'] is None else _time_s(verdict['rest_s']),
        bounds['rest_s'],
        len(verdict['violations']),
        verdict['restarts'] if bounds['stays_at_rest'] else 0,
        (state.get('mode', ''),) if trial.modes else ('gone',),
        tuple(dict.fromkeys(reason for _, _, reason in seen.history if reason)),
    )


def _bounds(trial: Trial, patience: float) -> dict:
    noticed_s = trial.notice_s * patience
    rest_s = noticed_s + REST_S * patience if trial.rest_s is None else trial.rest_s * patience
    return {
        'brake_s': (
            noticed_s + BRAKE_S * patience if trial.brakes and not trial.may_move else None
        ),
        'rest_s': None if trial.may_move else rest_s,
        'travel_m': trial.travel_m,
        'stays_at_rest': not trial.may_move,
    }


def _time_s(value: float | None) -> float:
    """JSON has no word for never but null."""
    return math.inf if value is None else value


def _await_mode(rig: Rig, trial: Trial) -> list[str]:
    """Wait for one of the modes; what is wrong if none came."""
    if not trial.modes:
        return []
    deadline_s = time.monotonic() + trial.mode_s * rig.patience
    while rig.state.get('mode') not in trial.modes:
        if time.monotonic() > deadline_s:
            return [f'is {rig.state.get("mode")}, not {" or ".join(trial.modes)}']
        time.sleep(POLL_S)
    return []


def _missing(trial: Trial, seen: Seen, refused_before: str) -> list[str]:
    complaints = []
    if trial.modes and seen.state.get('mode') not in trial.modes:
        complaints.append(f'ended in {seen.state.get("mode")}, not {" or ".join(trial.modes)}')
    told = {reason for _, _, reason in seen.history}
    if trial.reasons and not told & set(trial.reasons):
        complaints.append(f'says {sorted(told)}, not {" or ".join(trial.reasons)}')
    before, after = _counts(refused_before), _counts(seen.state.get('refused', ''))
    complaints += [
        f'refused nothing for {name}: {after}'
        for name in trial.refused
        if after.get(name, 0) <= before.get(name, 0)
    ]
    return complaints


def _counts(refused: str) -> dict[str, int]:
    pairs = (word.partition(':') for word in refused.split())
    return {name: int(count) for name, _, count in pairs}


def _worst(row: Row, results: list[RowResult]) -> RowResult:
    def longest(name: str) -> float | None:
        asked = [one for one in results if getattr(one, f'{name}_s') is not None]
        return max((getattr(one, f'{name}_s') for one in asked), default=None)

    return RowResult(
        row,
        tuple(dict.fromkeys(text for one in results for text in one.complaints)),
        longest('brake'),
        longest('rest'),
        longest('rest_bound'),
        sum(one.violations for one in results),
        sum(one.restarts for one in results),
        tuple(dict.fromkeys(mode for one in results for mode in one.modes)),
        tuple(dict.fromkeys(reason for one in results for reason in one.reasons)),
    )


def _run_without_rig(row: Row, domain_id: int) -> RowResult:
    """Nodes that must not come to life, all at once."""
    complaints = []
    with tempfile.TemporaryDirectory(prefix='magma_faults_') as directory:
        started = [
            (start, _start_badly(start, Path(directory) / str(number), domain_id))
            for number, start in enumerate(row.trials)
            if isinstance(start, BadStart)
        ]
        for start, process in started:
            try:
                said = process.communicate(timeout=BAD_START_S)[0]
            except subprocess.TimeoutExpired:  # it lives, which is the complaint
                process.kill()
                said = process.communicate()[0]
            if process.returncode != start.exit_code or start.says not in said:
                complaints.append(
                    f'{start.node} with {start.parameters or "a damaged model"}: exit code '
                    f'{process.returncode}, not {start.exit_code} with "{start.says}"; it said: '
                    f'{said[-300:]}'
                )
    return RowResult(row, tuple(complaints), modes=() if complaints else ('refused',))


def _start_badly(start: BadStart, directory: Path, domain_id: int) -> subprocess.Popen[str]:
    parameters = start.parameters
    if start.make_parameters is not None:
        parameters = start.make_parameters(directory)
    return subprocess.Popen(
        [
            sys.executable,
            '-m',
            f'magma_ros.nodes.{start.node}',
            *node_words(start.node, parameters),
        ],
        env=process_environment(domain_id),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
