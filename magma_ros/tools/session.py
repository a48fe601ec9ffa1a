"""``magma session``: compare policies, servers and people, blind and in a balanced order."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.sessions.new_session import create_session
from magma_ros.evaluation.sessions.session_folder import PLAN, SessionFolder
from magma_ros.evaluation.sessions.session_run import MakeRunner, run_session
from magma_ros.evaluation.sessions.trial_record import TrialRecord
from magma_ros.tools import session_report
from magma_ros.tools.first_interrupt import first_interrupt_only

SESSIONS = Path('runs/sessions')
EPILOG = """\
a session, from the question to the answer:
  magma session power                                    how many trials the question needs
  magma session new config/sessions/demo_sim.yaml --out runs/sessions/first
  magma session run runs/sessions/first                  Ctrl-C whenever you like
  magma session resume runs/sessions/first               goes on with the trial that was cut off
  magma session report runs/sessions/first               opens the key; no trials after that

or all of it at once, in simulation:
  magma session run config/sessions/demo_sim.yaml --unattended

config/sessions/hardware_example.yaml explains every key of a session file; docs/sessions.md says
what blinding hides and what it cannot.
"""
UNATTENDED = 'nobody is asked anything; writes the report at the end'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of ``magma session``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest='action', metavar='<action>', required=True)
    new = actions.add_parser('new', help='fix the order, draw the codes, seal the key')
    new.add_argument('file', type=Path, metavar='FILE', help='a session file (YAML)')
    new.add_argument('--out', type=Path, metavar='DIR', help=f'default: below {SESSIONS}')
    run = actions.add_parser('run', help='run what is still to be run')
    run.add_argument('session', type=Path, metavar='DIR_or_FILE')
    run.add_argument('--out', type=Path, metavar='DIR', help='of a FILE; as for new')
    resume = actions.add_parser('resume', help='the same, after an interruption')
    resume.add_argument('session', type=Path, metavar='DIR')
    for one in (run, resume):
        one.add_argument('--unattended', action='store_true', help=UNATTENDED)
        one.add_argument('--trials', type=int, metavar='N', help='at most so many, then stop')
    session_report.add_actions(actions)


def run(options: argparse.Namespace) -> int:
    """Do what was asked; 0, or 1 for a session that is not complete."""
    if options.action in ('report', 'power'):
        return session_report.run(options)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if options.action == 'new':
        folder = create_session(options.file, options.out or _new_path(options.file))
        console.print(f'{_describe(folder)}\nnext: magma session run {folder.path}', markup=False)
        return 0
    if options.trials is not None and options.trials < 1:
        raise ConfigurationError(f'--trials {options.trials}: at least 1')
    return _run_trials(_find(options), options.trials, options.unattended, console)


def _find(options: argparse.Namespace) -> SessionFolder:
    """The session that is meant: made first, if a file was given to ``run``."""
    path: Path = options.session
    if path.is_dir():
        return SessionFolder(path)
    if options.action == 'resume':
        raise ConfigurationError(f'{path} is no folder; give the one with {PLAN}')
    return create_session(path, options.out or _new_path(path))


def _run_trials(
    folder: SessionFolder, most: int | None, is_unattended: bool, console: Console
) -> int:
    make_runner = choose_runner(folder, is_unattended)
    total, left = len(folder.plan.order), len(folder.remaining())
    console.print(_describe(folder), markup=False)
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    try:
        # A person who is asked questions needs the lines of the terminal for them.
        with (
            first_interrupt_only(),
            Progress(*columns, console=console, disable=not is_unattended) as progress,
        ):
            bar = progress.add_task('trials', total=total, completed=total - left)

            def show(record: TrialRecord) -> None:
                if record.invalid:
                    text = f'trial {record.trial}: {record.invalid}; it is repeated'
                    console.print(text, markup=False)
                progress.update(bar, advance=0 if record.invalid else 1)

            is_complete = run_session(folder, make_runner, most, show)
    except KeyboardInterrupt:
        console.print(f'interrupted; magma session resume {folder.path}', markup=False)
        raise
    if not is_complete:
        left = len(folder.remaining())
        console.print(f'{left} trials left: magma session resume {folder.path}', markup=False)
        return 1
    if is_unattended:
        return session_report.write(folder.path)
    console.print(f'complete: magma session report {folder.path}', markup=False)
    return 0


def choose_runner(folder: SessionFolder, is_unattended: bool) -> MakeRunner:
    """What runs the trials of a session.

    Raises:
        ConfigurationError: nobody attends a session that needs a person.
    """
    through = folder.plan.through
    if through == 'core':
        from magma_ros.evaluation.sessions.core_runner import CoreTrialRunner

        return CoreTrialRunner
    if through == 'nodes':
        from magma_ros.evaluation.sessions.nodes_runner import NodesTrialRunner

        return NodesTrialRunner
    if is_unattended or not sys.stdin.isatty():
        raise ConfigurationError(
            'a session on hardware needs a person who restores layouts and judges: run it in a '
            'terminal, without --unattended'
        )
    from magma_ros.evaluation.sessions.hardware_runner import HardwareTrialRunner

    return HardwareTrialRunner


def _new_path(file: Path) -> Path:
    moment = datetime.now(timezone.utc).strftime('%Y-%m-%d_%H-%M-%S')
    return SESSIONS / f'{file.stem}_{moment}'


def _describe(folder: SessionFolder) -> str:
    plan, left = folder.plan, len(folder.remaining())
    blind = ', blinded' if plan.blinding else ', not blinded'
    return (
        f'{plan.title}: {len(plan.codes)} conditions, {len(plan.order)} trials through '
        f'{plan.through}{blind}, {left} to run, in {folder.path}'
    )
