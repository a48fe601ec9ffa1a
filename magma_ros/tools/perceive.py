"""``magma perceive``: a model watches pictures and says what it would do; nothing moves."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sized
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

from magma_ros.camera.frame_source import CameraSource, Condition, Frame
from magma_ros.data_types import ArmState
from magma_ros.errors import CameraError, ConfigurationError
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.backends.acting_model import ActingModel, ModelChoice, load_acting_model
from magma_ros.model.prompted_model import PromptedModel
from magma_ros.nodes.camera_sources import SOURCES, SourceChoice, is_live, make_source
from magma_ros.tools.model_options import add_model_options, local_settings
from magma_ros.tools.perceive_files import PerceiveFiles
from magma_ros.tools.perceive_steps import Perceiver
from magma_ros.tools.try_model import ASSUMED_STATE, STATE_NAMES, assume_arm_state

EPILOG = """\
examples:
  magma perceive --source PICTURES --instruction "pick up the red cube" --out runs/perceive
  magma perceive --source realsense --seconds 20 --instruction "..." --out runs/perceive
  magma perceive --source sim --instruction "put the red cube on the blue plate" --out runs/sim

Writes DIR/perceive.webm (what the model wants, drawn into the pictures) and DIR/actions.csv. Each
picture is one question of the direct mode: seven numbers, as if the arm stood where --state says.
Plain pictures have no arm and no depth, so that actions are not added up and nothing is lifted
into 3D; a lens that is not given is that of a D435.
"""
SIMULATION = 'sim'
LIVE_S = 10.0  # of a camera, unless --seconds says otherwise
READ_S = 0.1
PATIENCE_S = 10.0  # for a camera to appear


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma perceive``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('--source', required=True, help=f'{SOURCES}; sim: the simulated table')
    parser.add_argument('--instruction', required=True, metavar='TEXT', help='what to do')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='made if missing')
    parser.add_argument(
        '--rate', type=float, default=5.0, metavar='HZ',
        help='pictures a second the model is asked about, by their stamps; default: %(default)g',
    )  # fmt: skip
    parser.add_argument(
        '--seconds', type=float, metavar='S', help=f'then stop; of a camera: {LIVE_S:g}'
    )
    parser.add_argument(
        '--trace-every', type=int, default=5, metavar='N',
        help='ask for a trace at every Nth picture; 0: never; default: %(default)d',
    )  # fmt: skip
    parser.add_argument('--lens', default='', metavar='FILE', help='camera_info of the pictures')
    parser.add_argument('--camera', default='/camera/camera', help='namespace of it in a bag')
    parser.add_argument('--seed', type=int, default=1, help='of the simulated table')
    add_model_options(parser, may_be_remote=True)
    parser.add_argument('--statistics', metavar='KEY', help="of the actions; default: the model's")
    parser.add_argument(
        '--state', type=float, nargs=7, metavar=STATE_NAMES,
        help='of the arm: m, rad away from straight down, 0..1',
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Watch until the source ends; 1 if no picture could be used."""
    if not options.rate > 0.0 or options.trace_every < 0:
        raise ConfigurationError('--rate must be above 0 and --trace-every 0 or more')
    console = Console(highlight=False, soft_wrap=True)
    source, arm_of_source = _open_source(options)
    choice = ModelChoice(options.model or '', options.statistics, local_settings(options))
    with closing(source), closing(load_acting_model(choice, prepare_image)) as acting:
        state = arm_of_source or _assumed(acting, options, console)
        perceiver = Perceiver(
            acting, options.instruction, state, options.trace_every, time.perf_counter
        )
        files = PerceiveFiles(options.out, options.rate)
        with closing(files):
            try:
                _watch(source, perceiver, files, options, console)
            except KeyboardInterrupt:
                console.print('interrupted; what was seen is written')
        for line in files.summary():
            console.print(line, markup=False)
    return 0 if files.answered else 1


def _watch(
    source: CameraSource,
    perceiver: Perceiver,
    files: PerceiveFiles,
    options: argparse.Namespace,
    console: Console,
) -> None:
    source.open()
    total = len(source) if isinstance(source, Sized) else None
    columns = (SpinnerColumn(), *Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task('pictures', total=total or None)
        next_ns = None
        for frame in _frames(source, _duration(options)):
            progress.advance(task)
            stamp_ns = frame.image.stamp_ns
            if next_ns is not None and stamp_ns < next_ns:
                continue
            # Half a period of a 60 Hz camera early is on time.
            next_ns = stamp_ns + round(1e9 / options.rate) - 8_000_000
            files.add(perceiver.look(frame))


def _frames(source: CameraSource, duration_s: float | None) -> Iterator[Frame]:
    """Pictures until the source ends, or for a while of its own time.

    Raises:
        CameraError: a camera gives nothing for PATIENCE_S.
    """
    first_ns, heard_s = None, time.monotonic()
    while True:
        frame = source.read(READ_S)
        if frame is None:
            if source.state.condition is Condition.ENDED:
                return
            if time.monotonic() - heard_s > PATIENCE_S:
                raise CameraError(f'{source.state.condition.value}: {source.state.text}')
            continue
        heard_s = time.monotonic()
        first_ns = frame.image.stamp_ns if first_ns is None else first_ns
        if duration_s is not None and frame.image.stamp_ns - first_ns >= duration_s * 1e9:
            return
        yield frame


def _duration(options: argparse.Namespace) -> float | None:
    endless = is_live(options.source) or options.source == SIMULATION
    return LIVE_S if options.seconds is None and endless else options.seconds


def _open_source(
    options: argparse.Namespace,
) -> tuple[CameraSource, Callable[[], ArmState] | None]:
    """The source, and the arm that belongs to it."""
    if options.source == SIMULATION:
        return _simulation(options)
    live_hz = 30.0 if is_live(options.source) else options.rate
    choice = SourceChoice(
        options.source, rate_hz=live_hz, lens_file=options.lens, namespace=options.camera
    )
    return make_source(choice, time.monotonic, time.time_ns), None


def _simulation(options: argparse.Namespace) -> tuple[CameraSource, Callable[[], ArmState]]:
    from magma_ros.robot.arm_profile import load_arm_profile
    from magma_ros.sim.camera_source import SimCameraSource
    from magma_ros.sim.scenario import make_scenario
    from magma_ros.sim.world import World

    world = World(load_arm_profile('wx250s'))
    scene = make_scenario('put', options.seed).scene
    return SimCameraSource(world, scene, options.rate), lambda: world.arm_state(0)


def _assumed(
    acting: ActingModel, options: argparse.Namespace, console: Console
) -> Callable[[], ArmState | None]:
    """What the model is told of an arm that is not there."""
    model: Any = acting.model
    if not isinstance(model, PromptedModel):
        return lambda: None
    state = assume_arm_state(model, options.state)
    if state is not None and options.state is None:
        values = ' '.join(f'{value:g}' for value in ASSUMED_STATE)
        console.print(f'the arm is assumed to be at --state {values}')
    return lambda: state
