"""``magma arm-check``: the first motions of a real arm, one axis at a time, and what they show."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.motion.arming import failed_names
from magma_ros.motion.commissioning.diagnosis import diagnose
from magma_ros.motion.commissioning.gripper_diagnosis import diagnose_gripper
from magma_ros.motion.commissioning.strokes import commissioning_limits, run_strokes
from magma_ros.nodes.arm_inspection import UNMOVED, inspect_checks, inspect_data
from magma_ros.nodes.arm_link import PERIOD_S, ArmLink
from magma_ros.nodes.joint_guard import make_joint_guard
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.tools.arm_report import ArmReport, describe_stroke, print_checks, print_verdict
from magma_ros.tools.record_box import record_box

LISTEN_S = 8.0  # at most, for Servo to be found and joint states to have been good for a second
WARNING = """\
The arm will move 10 mm along and 5 degrees about each axis of its base link and back, at 20 mm/s,
then open and close its gripper. Clear its surroundings and its fingers; hold the emergency stop.
Ctrl-C stops it."""
DIRECTIONS = {'+x': 'forwards, away from the base', '+y': 'to the left of the base', '+z': 'up'}

Ask = Callable[[str], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``magma arm-check``."""
    parser.add_argument('--arm', default='wx250s', help='arm profile, or the path of an overlay')
    parser.add_argument('--look', action='store_true', help='print the checks, move nothing')
    parser.add_argument('--yes', action='store_true', help='do not ask; simulated arms only')
    parser.add_argument('--json', action='store_true', help='print JSON; texts go to stderr')
    parser.add_argument(
        '--record-box',
        type=Path,
        metavar='FILE',
        help='instead: write the box between corners you lead the gripper to into this overlay',
    )


def run(options: argparse.Namespace) -> int:
    """0: everything is right; 1: something is not, or was not tried."""
    profile = load_arm_profile(options.arm)
    console = Console(stderr=options.json)
    with ArmLink(profile) as link:
        if options.record_box is not None:
            record_box(link, options.record_box, console)
            return 0
        report = check_arm(link, console, options.look, None if options.yes else _ask)
    if options.json:
        print(json.dumps(report.as_dict(), indent=2))
    print_verdict(report, console)
    return int(not report.is_right)


def check_arm(link: ArmLink, console: Console, only_look: bool, ask: Ask | None) -> ArmReport:
    """Look at the arm, then move it if it may be moved.

    Args:
        link: of the arm.
        console: for people.
        only_look: move nothing.
        ask: what a person answers to a question; None: nobody is there.

    Raises:
        ConfigurationError: nobody is there, and the arm is not simulated.
    """
    report = ArmReport(link.profile.name)
    link.listen(LISTEN_S, lambda: _may_move(report, link))
    print_checks(report.checks, console)
    if not _may_move(report, link):
        report.stopped = 'not moved before what is named above is right'
    elif only_look:
        report.stopped = 'only looked'
    elif ask is None and not link.heard.is_simulated:
        raise ConfigurationError('--yes is for the simulated arm; a person must watch a real one')
    elif ask is not None and ask(f'{WARNING}\nType yes to go on: ') != 'yes':
        report.stopped = 'not confirmed'
    else:
        try:
            _move_arm(link, report, console, ask)
            if not report.mismatches:
                _move_gripper(link, report)
        except ArmError as error:
            link.brake()
            report.stopped = str(error)
    return report


def _may_move(report: ArmReport, link: ArmLink) -> bool:
    report.checks, report.mismatches = inspect_checks(link), list(inspect_data(link))
    return not report.mismatches and set(failed_names(report.checks)) <= UNMOVED


def _move_arm(link: ArmLink, report: ArmReport, console: Console, ask: Ask | None) -> None:
    link.listen(0.5)  # whoever was asked took some time; what was heard is old
    profile, arm = link.profile, link.heard.arm_state()
    tip_in_base = link.heard.reading.kinematics.matrix(arm.joint_positions_rad, profile.tip_link)[
        :3, :3
    ]
    limits = commissioning_limits(profile.limits, arm.pose_gripper_in_base)
    guard = make_joint_guard(profile, profile.kinematics())
    for stroke in run_strokes(link.exchange, guard, limits, PERIOD_S):
        console.print(describe_stroke(stroke), markup=False, highlight=False)
        if ask is not None and stroke.name in DIRECTIONS and not stroke.surprise:
            answer = ask(f'Did the gripper move {DIRECTIONS[stroke.name]}? [Y/n] ')
            stroke = replace(stroke, was_seen=not answer.lower().startswith('n'))
            link.listen(0.5)
        report.strokes.append(stroke)
    report.mismatches += diagnose(report.strokes, profile.joint_names, tip_in_base)


def _move_gripper(link: ArmLink, report: ArmReport) -> None:
    opened_m, _ = link.grip(1.0)
    closed_m, _ = link.grip(0.0)
    link.grip(1.0)
    report.gripper_m = (opened_m, closed_m)
    profile = link.profile
    report.mismatches += diagnose_gripper(
        opened_m, closed_m, profile.finger_open_m, profile.finger_closed_m
    )


def _ask(question: str) -> str:
    """Nobody there is no consent."""
    try:
        return input(question).strip()
    except EOFError:
        return ''
