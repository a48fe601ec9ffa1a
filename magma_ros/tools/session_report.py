"""``magma session power`` and ``magma session report``: how a comparison begins and ends."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from magma_ros.evaluation.report.headline import Headline
from magma_ros.evaluation.report.session_report import require_packages, write_report
from magma_ros.evaluation.sessions.session_folder import SessionFolder
from magma_ros.evaluation.sessions.unsealing import unseal
from magma_ros.evaluation.statistics.power import POWER, plan_session
from magma_ros.evaluation.statistics.sequential import ALPHA
from magma_ros.evaluation.statistics.simulated_sessions import DIFFICULTY_SD

DIFFICULTY_HELP = (
    'how much initial conditions differ, as a standard deviation of the log-odds of success; '
    '0: pairing explains nothing'
)


def add_actions(actions: Any) -> None:
    """The subcommands ``report`` and ``power`` of ``magma session``."""
    formatter = argparse.ArgumentDefaultsHelpFormatter
    report = actions.add_parser(
        'report', help='open the key and write report.html; no trials after that'
    )
    report.add_argument('session', type=Path, metavar='DIR')
    report.add_argument(
        '--end-early', action='store_true', help='end a session that is not complete, for good'
    )
    report.add_argument('--json', action='store_true', help='print one JSON object')
    power = actions.add_parser(
        'power', help='how many trials a question needs', formatter_class=formatter
    )
    power.add_argument('--from', type=float, default=0.7, dest='first', metavar='RATE')
    power.add_argument('--to', type=float, default=0.85, dest='second', metavar='RATE')
    power.add_argument('--paired', action='store_true', help='only for pairs of trials')
    power.add_argument('--power', type=float, default=POWER, help='chance to see it')
    power.add_argument('--alpha', type=float, default=ALPHA, help='chance to see what is not')
    power.add_argument(
        '--difficulty', type=float, default=DIFFICULTY_SD, metavar='SD', help=DIFFICULTY_HELP
    )
    power.add_argument('--seed', type=int, default=0, help='of the simulated sessions')
    power.add_argument('--json', action='store_true', help='print one JSON object')


def run(options: argparse.Namespace) -> int:
    """Plan, or report; 0 whatever the answer is."""
    if options.action == 'power':
        return _plan(options)
    return write(options.session, options.end_early, options.json)


def write(path: Path, end_early: bool = False, as_json: bool = False) -> int:
    """Write the report of a session and print its answers."""
    require_packages()  # before the key is opened: that ends the session
    report = write_report(unseal(SessionFolder(path), end_early))
    headlines = report.analysis.headlines
    if as_json:
        answers = [asdict(one) for one in headlines]
        print(json.dumps({'report': str(report.page), 'headlines': answers}))
        return 0
    for one in headlines:
        _print_headline(one)
    print(f'report: {report.page}')
    return 0


def _plan(options: argparse.Namespace) -> int:
    plan = plan_session(
        options.first,
        options.second,
        options.power,
        options.alpha,
        options.difficulty,
        options.seed,
    )
    if options.paired:
        del plan['unpaired']
    if options.json:
        print(json.dumps(plan))
        return 0
    paired, sequential = plan['paired'], plan['sequential']
    print(
        f'To see {options.first:g} -> {options.second:g} with a chance of {options.power:g} '
        f'(alpha {options.alpha:g}):'
    )
    print(
        f'  {paired["trials"]} pairs on the same initial conditions, fixed beforehand '
        f'({paired["test"]})'
    )
    if not options.paired:
        unpaired = plan['unpaired']
        print(
            f'  {unpaired["trials"]} trials of each on initial conditions of their own, fixed '
            f'beforehand ({unpaired["test"]})'
        )
    print(
        f'  {sequential["mean_pairs"]:.0f} pairs on average (half of the sessions: at most '
        f'{sequential["median_pairs"]:.0f}) when a session stops at the evidence; '
        f'{sequential["decided"]:.0%} of them decide within {sequential["limit"]}'
    )
    print(
        f'Initial conditions as different as --difficulty {options.difficulty:g} says; '
        f'{sequential["sessions"]} sessions simulated, seed {sequential["seed"]}.'
    )
    return 0


def _print_headline(one: Headline) -> None:
    print(f'{one.answer}\n  {one.reason}')
