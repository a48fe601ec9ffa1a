"""``magma demo``: a simulated arm acts on sentences, through the very nodes used on hardware."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shlex
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console

from magma_ros.benchmarks.record import describe_machine
from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.evaluation.demo_episodes import (
    DemoSetting,
    FilmedEpisode,
    PlannedEpisode,
    plan_episodes,
    plan_sentence,
    run_episodes,
)
from magma_ros.evaluation.demo_files import write_files
from magma_ros.evaluation.demo_report import DemoReport, as_plain_data
from magma_ros.evaluation.node_session import EpisodeRecord
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.backends.acting_model import ModelChoice
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.pipeline import MODES
from magma_ros.resources import asset_path
from magma_ros.ros.process_environment import LARGEST_DOMAIN_ID
from magma_ros.sim.tasks import TASK_KINDS
from magma_ros.tools.demo_tables import describe_episode, print_tables
from magma_ros.tools.evaluate import default_mode
from magma_ros.tools.first_interrupt import first_interrupt_only
from magma_ros.tools.live_view import LiveView

DOMAINS = range(40, 100)  # one is drawn, so that two demos do not meet
DEFAULT_TASKS = 'reach,pick,put'
DEFAULT_EPISODES = 6
EPILOG = """\
examples:
  magma demo                                    two each of reach, pick and put
  magma demo --instruction "put the red cube on the blue plate" --seed 7
  magma demo --tasks push --episodes 4 --view   watch in the browser

A folder of the run gets the video, a rosbag2 of the first episode and summary.html.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma demo``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('--instruction', metavar='SENTENCE', help='what to do, in your words')
    parser.add_argument('--seed', type=int, help='of the first table (default: drawn)')
    parser.add_argument(
        '--episodes',
        type=int,
        metavar='N',
        help=f'default {DEFAULT_EPISODES}, with --instruction 1',
    )
    parser.add_argument(
        '--tasks', help=f'some of {",".join(TASK_KINDS)} (default {DEFAULT_TASKS})'
    )
    parser.add_argument('--mode', choices=MODES, help='default: what the checkpoint does better')
    parser.add_argument('--model', type=Path, help='checkpoint folder (default: magma-nano)')
    parser.add_argument(
        '--out', type=Path, default=Path('runs/demo'), help='default runs/demo; runs are kept'
    )
    parser.add_argument('--domain', type=int, help='ROS domain (default ROS_DOMAIN_ID, or drawn)')
    parser.add_argument('--view', action='store_true', help='show it live in the browser')
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(options: argparse.Namespace) -> int:
    """Run the demo; 0 when it ran, whatever the success."""
    started_s = time.monotonic()
    console = Console(stderr=options.json, highlight=False, soft_wrap=True)
    plan = _plan(options)
    folder = _checkpoint(options.model)
    identity = load_onnx_model(folder, prepare_image).identity
    mode = options.mode or default_mode(ModelChoice())
    domain_id = _domain(options.domain)
    directory = _new_directory(options.out)
    setting = DemoSetting(directory, domain_id, {'mode': mode, 'model': str(folder)})
    seeds = f'seed {plan[0].seed}' + (f' to {plan[-1].seed}' if len(plan) > 1 else '')
    console.print(f'{identity.name}, {mode} mode, {seeds}, ROS domain {domain_id}')

    def print_episode(record: EpisodeRecord) -> None:
        console.print(describe_episode(record), markup=False)

    with first_interrupt_only(), _view(options.view, console) as show:
        films = run_episodes(plan, setting, print_episode, show)
    report = DemoReport(
        tuple(film.record for film in films),
        mode,
        identity.name,
        identity.sha256,
        describe_machine(),
        shlex.join(['magma', *sys.argv[1:]]),
        datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        _first_motion_s(films, started_s),
    )
    console.print('writing video and page ...')
    page = write_files(directory, report, films)
    if options.json:
        print(json.dumps({**as_plain_data(report), 'directory': str(directory)}))
    else:
        print_tables(report, console)
        console.print(f'video, bag and page: {page}', markup=False)
    return 0


def _plan(options: argparse.Namespace) -> tuple[PlannedEpisode, ...]:
    seed = secrets.randbelow(100_000) if options.seed is None else options.seed
    if options.instruction is None:
        tasks = tuple((options.tasks or DEFAULT_TASKS).split(','))
        count = DEFAULT_EPISODES if options.episodes is None else options.episodes
        return plan_episodes(tasks, count, seed)  # type: ignore[arg-type]  # checked there
    if options.tasks is not None:
        raise ConfigurationError('--instruction says what to do already; leave --tasks out')
    count = 1 if options.episodes is None else options.episodes
    return plan_sentence(options.instruction, count, seed)


def _checkpoint(folder: Path | None) -> Path:
    if folder is not None:
        return folder.absolute()
    try:
        return asset_path('nano')
    except ConfigurationError as error:
        raise ModelError(
            'magma-nano is not there: restore it with git checkout magma_ros/assets/nano, train '
            'it with make train-nano, or give another checkpoint with --model'
        ) from error


def _domain(wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    inherited = os.environ.get('ROS_DOMAIN_ID', '')
    if not inherited:
        return secrets.choice(DOMAINS)
    if not inherited.isdecimal():
        raise ConfigurationError(
            f'ROS_DOMAIN_ID is {inherited!r}: set a number from 0 to {LARGEST_DOMAIN_ID}, '
            'or unset it'
        )
    return int(inherited)


def _new_directory(parent: Path) -> Path:
    """A folder named after the moment, with a number if there are two in one second."""
    moment = datetime.now(timezone.utc).strftime('%Y-%m-%d_%H-%M-%S')
    for suffix in ('', *(f'_{number}' for number in range(2, 100))):
        directory = parent / f'{moment}{suffix}'
        with contextlib.suppress(FileExistsError):
            directory.mkdir(parents=True)
            return directory
    raise ConfigurationError(f'{parent} is full of folders named {moment}; give another --out')


@contextlib.contextmanager
def _view(wanted: bool, console: Console) -> Iterator[Callable[[bytes], None]]:
    """Takes JPEGs; shows them if that is wanted."""
    if not wanted:
        yield lambda jpeg: None
        return
    with LiveView() as view:
        console.print(f'live view: {view.address}', markup=False)
        # Without a desktop this would start a browser in the terminal.
        if os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'):
            webbrowser.open(view.address)
        yield view.show


def _first_motion_s(films: list[FilmedEpisode], started_s: float) -> float | None:
    """When the first picture had led to an action, since the command was given."""
    frames = films[0].frames
    return frames[0].time_s - started_s if frames else None
