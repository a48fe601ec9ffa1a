"""``magma arm-check --record-box``: lead the gripper to the corners, press Enter at each."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.nodes.arm_link import ArmLink
from magma_ros.robot.workspace_box import MARGIN_M, box_of, check_box, reach_of, write_box

HELP = f"""\
Lead the gripper to the corners of the workspace: two opposite ones will do. By hand only where
the arm holds itself up without torque; otherwise with the teleoperation of its driver.
Enter: a corner is here. "undo": not there. "done": write the box, {1000 * MARGIN_M:.0f} mm
smaller.
"""
FEWEST = 2


def record_box(
    link: ArmLink,
    path: Path,
    console: Console,
    read_line: Callable[[], str | None] | None = None,
) -> None:
    """Ask for corners, and write their box into the overlay ``path``.

    Args:
        link: of the arm, which this never moves.
        path: of the overlay.
        console: for the growing box.
        read_line: what the person has typed since; None: nothing yet. Empty: Enter.

    Raises:
        ConfigurationError: too few corners, a box that cannot be used, or a file that cannot.
    """
    console.print(HELP)
    corners_m = _collect(link, console, read_line or _typed_line)
    box = box_of(corners_m)
    if box is None or len(corners_m) < FEWEST:
        raise ConfigurationError(f'{len(corners_m)} corners; at least {FEWEST} are needed')
    check_box(box, reach_of(link.heard.reading.kinematics))
    limits = write_box(path, link.profile, box).limits
    console.print(f'{path}: box {limits.box_min_m} to {limits.box_max_m} m')
    console.print(f'Give it wherever an arm is asked for: overlay:={path}, --arm {path}')


def _collect(
    link: ArmLink, console: Console, read_line: Callable[[], str | None]
) -> list[FloatArray]:
    corners_m: list[FloatArray] = []
    with Live(console=console, auto_refresh=False) as live:
        while True:
            link.listen(0.1)
            try:
                here_m, note = link.heard.arm_state().pose_gripper_in_base.translation_m, ''
            except ArmError as error:
                here_m, note = None, str(error)
            live.update(_table(here_m, corners_m, note), refresh=True)
            line = read_line()
            if line == 'done':
                return corners_m
            if line == 'undo' and corners_m:
                corners_m.pop()
            elif line == '' and here_m is not None:
                corners_m.append(here_m)


def _table(here_m: FloatArray | None, corners_m: list[FloatArray], note: str) -> Table:
    table = Table('', 'x', 'y', 'z', title=f'{len(corners_m)} corners, m', caption=note)
    if here_m is not None:
        table.add_row('gripper', *_written(here_m))
    box = box_of(corners_m)
    if box is not None and (box.min_m < box.max_m).all():
        table.add_row('from', *_written(box.min_m))
        table.add_row('to', *_written(box.max_m))
    return table


def _written(place_m: FloatArray) -> list[str]:
    return [f'{value:+.3f}' for value in place_m.tolist()]


def _typed_line() -> str | None:
    if not select.select([sys.stdin], [], [], 0.0)[0]:
        return None
    line = sys.stdin.readline()
    return line.strip() if line else 'done'  # the end of the input
