"""``magma calibrate``: where the camera is, from pictures of a printed board."""

from __future__ import annotations

import argparse
import select
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from magma_ros.camera.calibration_board import BOARD_KINDS, BoardShape, CalibrationBoard
from magma_ros.camera.extrinsics_file import write_extrinsics
from magma_ros.camera.hand_eye import MOUNTINGS, HandEyeResult, solve_hand_eye
from magma_ros.camera.view_folder import ViewFolder, read_views
from magma_ros.errors import ArmError, CameraError
from magma_ros.robot.arm_profile import load_arm_profile

EPILOG = """\
in this order (docs/calibration.md):
  magma calibrate board --out board.pdf     print it at 100 % and glue it to something flat
  magma calibrate collect VIEWS             move the arm, press Enter; 12 to 20 times
  magma calibrate solve VIEWS --mounting to_hand --out camera.yaml
"""
GOOD_PX, GOOD_M, GOOD_RAD = 1.0, 0.002, np.deg2rad(0.3)
ODD_SHARE, ODD_PX = 3.0, 1.0  # a view with this many times the median error, and above that
HEARD_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma calibrate``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest='action', metavar='<action>', required=True)
    board = actions.add_parser('board', help='write a board to print')
    board.add_argument('--out', type=Path, required=True, metavar='FILE', help='a .pdf or .png')
    collect = actions.add_parser('collect', help='take views from the running camera and arm')
    collect.add_argument('folder', type=Path, help='where the views go; a new one')
    collect.add_argument('--arm', default='wx250s', help='a file of config/arms')
    collect.add_argument('--camera', default='/camera/camera', help='namespace of its driver')
    solve = actions.add_parser('solve', help='find the camera from the views of a folder')
    solve.add_argument('folder', type=Path, help='pictures, gripper_poses.yaml, camera_info.yaml')
    solve.add_argument(
        '--mounting', choices=MOUNTINGS, required=True,
        help='to_hand: the camera is beside the arm, the board on the gripper; in_hand: the '
        'camera is on the gripper, the board on the table',
    )  # fmt: skip
    solve.add_argument('--out', type=Path, required=True, metavar='FILE', help='a .yaml')
    solve.add_argument('--parent', help='frame of the base or the gripper; default: of the arm')
    solve.add_argument('--child', default='camera_color_optical_frame', help='of the camera')
    solve.add_argument('--arm', default='wx250s', help='a file of config/arms')
    for action in (board, collect, solve):
        shape = BoardShape()
        action.add_argument('--board', choices=BOARD_KINDS, default=shape.kind, help='its kind')
        action.add_argument('--columns', type=int, default=shape.columns)
        action.add_argument('--rows', type=int, default=shape.rows)
        action.add_argument(
            '--square-mm', type=float, default=shape.square_m * 1e3,
            help='from one square (or tag) to the next; measure it on the print',
        )  # fmt: skip
        action.add_argument(
            '--marker-mm', type=float, default=shape.marker_m * 1e3, help='side of a marker'
        )


def run(options: argparse.Namespace) -> int:
    """Do it; 1 when the result is not good enough to rely on."""
    console = Console(highlight=False, soft_wrap=True)
    board = CalibrationBoard(
        BoardShape(
            options.board,
            options.columns,
            options.rows,
            options.square_mm * 1e-3,
            options.marker_mm * 1e-3,
        )
    )
    if options.action == 'board':
        return _write_board(options, board, console)
    if options.action == 'collect':
        return _collect(options, board, console)
    return _solve(options, board, console)


def _write_board(options: argparse.Namespace, board: CalibrationBoard, console: Console) -> int:
    board.write(options.out)
    width, height = (side * 1e3 for side in board.shape.size_m)
    console.print(
        f'{options.out}: {width:.0f} x {height:.0f} mm. Print at 100 %, glue it to something '
        'flat, and measure: a square that is not '
        f'{options.square_mm:g} mm is given as --square-mm (and the marker as --marker-mm)'
    )
    return 0


def _collect(options: argparse.Namespace, board: CalibrationBoard, console: Console) -> int:
    from magma_ros.nodes.calibration_collector import CalibrationCollector

    profile = load_arm_profile(options.arm)
    with CalibrationCollector(profile, options.camera) as collector:
        for _ in range(round(HEARD_S / 0.1)):
            if not collector.missing():
                break
            collector.spin(0.1)
        folder = ViewFolder(options.folder, collector.lens())
        console.print(
            'Turn the gripper another way, wait until it stands, press Enter; q and Enter ends. '
            '12 to 20 views, tilted by 20 to 40 degrees in all directions, near and far.'
        )
        count = 0
        while (line := _line_while_spinning(collector)) != 'q':
            if line is None:
                continue
            try:
                image, pose = collector.take()
            except (ArmError, CameraError) as error:
                console.print(f'not taken: {error}', markup=False)
                continue
            corners = board.find(image.rgb)
            if corners is None:
                console.print('not taken: the board is not seen, or hardly; show all of it')
                continue
            count += 1
            name = folder.add(image.rgb, pose)
            console.print(f'{name}: {len(corners.points_px)} corners')
    console.print(f'{count} views in {options.folder}; next: magma calibrate solve')
    return 0


def _line_while_spinning(collector: object) -> str | None:
    """What was typed, None while nothing was; the end of the input is a q."""
    collector.spin(0.05)  # type: ignore[attr-defined]
    if not select.select([sys.stdin], [], [], 0.0)[0]:
        return None
    line = sys.stdin.readline()
    return line.strip() if line else 'q'


def _solve(options: argparse.Namespace, board: CalibrationBoard, console: Console) -> int:
    views, lens = read_views(options.folder, board)
    result = solve_hand_eye(views, lens, options.mounting)
    profile = load_arm_profile(options.arm)
    frame = profile.base_link if options.mounting == 'to_hand' else profile.tip_link
    write_extrinsics(options.out, result, options.parent or frame, options.child)
    _print_result(result, console)
    console.print(f'written to {options.out}', markup=False)
    complaints = find_complaints(result)
    for complaint in complaints:
        console.print(complaint, markup=False)
    return 1 if complaints else 0


def find_complaints(result: HandEyeResult) -> list[str]:
    """Why this result should not be relied on, and what to do; empty for a good one."""
    complaints = []
    median = float(np.median(list(result.view_errors_px.values())))
    odd = [
        name
        for name, error in result.view_errors_px.items()
        if error > max(ODD_PX, ODD_SHARE * median)
    ]
    if odd:
        complaints.append(
            f'{", ".join(odd)} do not fit the others: take them out of gripper_poses.yaml and '
            'solve again'
        )
    if result.error_px > GOOD_PX:
        complaints.append(
            f'{result.error_px:.1f} px are too much: is the mounting right, the board flat and '
            'measured, the lens calibrated, and did the arm stand still?'
        )
    if result.accuracy_m > GOOD_M or result.accuracy_rad > GOOD_RAD:
        complaints.append(
            f'expected within {result.accuracy_m * 1e3:.1f} mm and '
            f'{np.rad2deg(result.accuracy_rad):.2f} degrees: take more views, turned further'
        )
    return complaints


def _print_result(result: HandEyeResult, console: Console) -> None:
    table = Table('view', 'error [px]')
    for name, error in result.view_errors_px.items():
        table.add_row(name, f'{error:.2f}')
    console.print(table)
    where = 'base' if result.mounting == 'to_hand' else 'gripper'
    place = ' '.join(f'{value:.4f}' for value in result.pose_camera.translation_m)
    turn = ' '.join(f'{value:.5f}' for value in result.pose_camera.quaternion_xyzw)
    console.print(f'camera in the {where}: x y z {place} m, quaternion x y z w {turn}')
    console.print(
        f'reprojection error {result.error_px:.2f} px (rms); expected accuracy '
        f'{result.accuracy_m * 1e3:.2f} mm, {np.rad2deg(result.accuracy_rad):.3f} degrees '
        '(standard error, by leaving views out)'
    )
