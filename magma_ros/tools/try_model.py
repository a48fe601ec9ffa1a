"""``magma try``: what a model makes of one picture and one sentence."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from magma_ros.data_types import ArmState
from magma_ros.errors import ConfigurationError
from magma_ros.image.image_preparation import prepare_image
from magma_ros.image.mark_drawing import draw_marks
from magma_ros.image.picture_file import read_picture, write_picture
from magma_ros.image.trace_overlay import draw_overlay
from magma_ros.model.action_scaling import unnormalise
from magma_ros.model.backends.local_model import load_local_model, settle_statistics
from magma_ros.model.prompted_model import PromptedModel, require_words
from magma_ros.resources import asset_path
from magma_ros.rotations import down_with_euler, make_pose
from magma_ros.tools.model_options import add_model_options, local_settings
from magma_ros.tools.try_report import Tried, as_report, print_report

EPILOG = """\
examples (the two pictures are in the package, see magma_ros/assets/pictures):
  magma try magma_ros/assets/pictures/cubes_and_cans.jpg "pick up the green cube" --trace
  magma try screenshot.png "where is the Save button?" --ask --model DIR

magma-nano also reads the arm's state; a picture has none. Without --state it is told that the
gripper is open, points straight down and is 0.20 m above the middle of the table, as it is in the
pictures of the package.
"""
STATE_NAMES = ('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW', 'OPENING')
ASSUMED_STATE = (0.25, 0.0, 0.20, 0.0, 0.0, 0.0, 1.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma try``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('image', type=Path, metavar='IMAGE', help='a .jpg or .png')
    parser.add_argument('instruction', metavar='INSTRUCTION', help='a sentence, or a question')
    add_model_options(parser)
    parser.add_argument(
        '--statistics', metavar='KEY', help='of the actions; default: those the model names'
    )
    parser.add_argument(
        '--state', type=float, nargs=7, metavar=STATE_NAMES,
        help='of the arm: m, rad away from straight down, 0..1',
    )  # fmt: skip
    parser.add_argument('--trace', action='store_true', help='ask where the marks will move, too')
    parser.add_argument('--marks', action='store_true', help='ask where drawn numbers are, too')
    parser.add_argument('--ask', action='store_true', help='the sentence is a question')
    parser.add_argument('--save', type=Path, metavar='FILE', help='picture with the answers')
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(options: argparse.Namespace) -> int:
    """Ask and print; 1 when a trace or marks were asked for and there are none."""
    rgb = read_picture(options.image)
    wanted = options.model or asset_path('nano')
    model, folder = load_local_model(wanted, prepare_image, local_settings(options))
    state = assume_arm_state(model, options.state)
    tried = _ask(model, folder, rgb, state, options)
    saved = options.save
    if saved is None and (tried.traces or tried.marks_px):
        saved = Path(f'{options.image.stem}_tried.jpg')
    if saved is not None:
        marked = draw_marks(rgb, tried.marks_px or {})
        caption = options.instruction
        write_picture(draw_overlay(marked, tried.traces or (), instruction=caption), saved)
    is_assumed = state is not None and options.state is None
    assumed = dict(zip(STATE_NAMES, ASSUMED_STATE, strict=True)) if is_assumed else None
    report = as_report(model.identity, tried, assumed, saved)
    if options.json:
        print(json.dumps(report))
    else:
        print_report(report)
    return 1 if tried.traces == [] or tried.marks_px == {} else 0


def assume_arm_state(model: PromptedModel, seven: Sequence[float] | None) -> ArmState | None:
    """``--state``, or what is assumed without it; None for models that take none.

    Raises:
        ConfigurationError: the model takes none, or these are not seven numbers.
    """
    if model.config.state is None:
        if seven is not None:
            raise ConfigurationError(f'{model.config.name} takes no arm state: leave --state out')
        return None
    values = np.array(ASSUMED_STATE if seven is None else seven)
    if not np.isfinite(values).all():
        raise ConfigurationError('--state must be seven numbers')
    pose = make_pose(values[:3], down_with_euler(values[3:6]))
    return ArmState(np.zeros(0), np.zeros(0), pose, float(values[6]), stamp_ns=0)


def _ask(
    model: PromptedModel,
    folder: Path,
    rgb: np.ndarray,
    state: ArmState | None,
    options: argparse.Namespace,
) -> Tried:
    if options.ask:
        require_words(model)
        return Tried(text=model.answer(rgb, options.instruction))
    statistics = settle_statistics(model, folder, options.statistics)
    answer = model.generate_action(rgb, options.instruction, state)
    trace = model.generate_trace(rgb, options.instruction, state) if options.trace else None
    return Tried(
        ids=answer.ids,
        action=unnormalise(answer.normalised, statistics),
        statistics=statistics.key,
        traces=trace.traces if trace else None,
        marks_px=model.locate_marks(rgb) if options.marks else None,
        text=trace.text if trace else None,
    )
