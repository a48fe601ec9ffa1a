"""Where a camera is: on the gripper (eye in hand) or beside the arm (eye to hand).

A board is seen in n views, and the arm knows its gripper at each. Eye in hand: the board lies
still. Eye to hand: the board is on the gripper. Both are one equation,

    pose_board_in_camera_i = X^-1 M_i Y

with M_i = pose_base_in_gripper, X = pose_camera_in_gripper, Y = pose_board_in_base (in hand), or
M_i = pose_gripper_in_base, X = pose_camera_in_base, Y = pose_board_in_gripper (to hand). A closed
solution (Park and Martin, IEEE Trans. Robotics and Automation 10(5), 1994) begins, and least
squares of all reprojection errors over X and Y end it. Accuracy is estimated by leaving out each
view in turn (jackknife), which counts the errors of the arm, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from scipy.optimize import OptimizeResult, least_squares
from scipy.spatial.transform import Rotation

from magma_ros.camera.calibration_board import BoardCorners
from magma_ros.camera.lens import Lens
from magma_ros.camera.view_geometry import compose, mean_pose, require_varied_views
from magma_ros.data_types import FloatArray, Pose
from magma_ros.errors import CameraError
from magma_ros.rotations import inverse, make_pose, rotation_of

Mounting = Literal['in_hand', 'to_hand']
MOUNTINGS: tuple[Mounting, ...] = get_args(Mounting)
MOST_STEPS = 30  # of least squares; what belongs together needs about ten
OUTLIER_PX = 1.0  # residuals beyond count less (soft L1)


@dataclass(frozen=True)
class CalibrationView:
    """One picture of the board, and where the gripper was."""

    name: str
    corners: BoardCorners
    pose_gripper_in_base: Pose


@dataclass(frozen=True)
class HandEyeResult:
    """Where the camera is, and how sure that is."""

    mounting: Mounting
    pose_camera: Pose  # in the base (to hand) or in the gripper (in hand)
    pose_board: Pose  # in the gripper (to hand) or in the base (in hand)
    error_px: float  # root mean square over all corners
    view_errors_px: dict[str, float]  # the same by view
    accuracy_m: float  # standard error of the place
    accuracy_rad: float  # and of the direction


def solve_hand_eye(
    views: Sequence[CalibrationView], lens: Lens, mounting: Mounting
) -> HandEyeResult:
    """The camera's pose from at least FEWEST_VIEWS views.

    Raises:
        CameraError: too few views, too little rotation or all about one axis, or a view in which
            the board cannot be placed.
    """
    moves = [_move(view, mounting) for view in views]
    require_varied_views([view.pose_gripper_in_base for view in views])
    boards = [place_board(view.corners, lens, view.name) for view in views]
    camera, board = _begin(moves, boards)
    fit = _fit(np.concatenate([*_six_of(camera), *_six_of(board)]), views, moves, lens)
    errors = fit.fun.reshape(-1, 2)
    parts = _parts(views)
    squares = {
        view.name: float(np.mean(np.sum(errors[part] ** 2, axis=1)))
        for view, part in zip(views, parts, strict=True)
    }
    spread_m, spread_rad = _leave_one_out(fit, parts)
    return HandEyeResult(
        mounting,
        *_unpack(fit.x),
        float(np.sqrt(np.mean(np.sum(errors**2, axis=1)))),
        {name: float(np.sqrt(square)) for name, square in squares.items()},
        spread_m,
        spread_rad,
    )


def place_board(corners: BoardCorners, lens: Lens, name: str) -> Pose:
    """Pose of the board in the camera, from one view.

    Raises:
        CameraError: the corners do not allow it.
    """
    points = corners.points_in_board_m, corners.points_px
    try:
        found, turn, shift = cv2.solvePnP(*points, lens.matrix, lens.distortion)
    except cv2.error:  # what some degenerate corners make of it
        found = False
    if not found or shift[2, 0] <= 0:
        raise CameraError(f'{name}: the board cannot be placed from its corners; take it out')
    return make_pose(np.array(shift, float).ravel(), Rotation.from_rotvec(turn.ravel()))


def _move(view: CalibrationView, mounting: Mounting) -> Pose:
    pose = view.pose_gripper_in_base
    return inverse(pose) if mounting == 'in_hand' else pose


def _begin(moves: Sequence[Pose], boards: Sequence[Pose]) -> tuple[Pose, Pose]:
    """Park and Martin: rotation from the axes of relative motions, then a linear equation."""
    pairs = [(i, j) for i in range(len(moves)) for j in range(i + 1, len(moves))]
    # A = M_j M_i^-1 and B = T_j T_i^-1 of the same motion: A X = X B.
    ours = [compose(moves[j], inverse(moves[i])) for i, j in pairs]
    seen = [compose(boards[j], inverse(boards[i])) for i, j in pairs]
    turns = np.array([rotation_of(pose).as_rotvec() for pose in ours])
    seen_turns = np.array([rotation_of(pose).as_rotvec() for pose in seen])
    turn, _ = Rotation.align_vectors(turns, seen_turns)
    left = np.concatenate([rotation_of(pose).as_matrix() - np.eye(3) for pose in ours])
    right = np.concatenate(
        [turn.apply(b.translation_m) - a.translation_m for a, b in zip(ours, seen, strict=True)]
    )
    camera = make_pose(np.linalg.lstsq(left, right, rcond=None)[0], turn)
    board = mean_pose(
        [
            compose(inverse(move), compose(camera, seen_board))
            for move, seen_board in zip(moves, boards, strict=True)
        ]
    )
    return camera, board


def _fit(
    start: FloatArray, views: Sequence[CalibrationView], moves: Sequence[Pose], lens: Lens
) -> OptimizeResult:
    """Least squares of the reprojection errors over twelve numbers, see ``_unpack``."""

    def residuals(twelve: FloatArray) -> FloatArray:
        return _residuals(twelve, views, moves, lens).ravel()

    robust = {'loss': 'soft_l1', 'f_scale': OUTLIER_PX, 'x_scale': 'jac', 'max_nfev': MOST_STEPS}
    best = least_squares(residuals, start, **robust).x
    return least_squares(residuals, best, max_nfev=1)  # the plain Jacobian there


def _six_of(pose: Pose) -> tuple[FloatArray, FloatArray]:
    return pose.translation_m, rotation_of(pose).as_rotvec()


def _unpack(twelve: FloatArray) -> tuple[Pose, Pose]:
    """Place (m) and rotation vector of camera and board."""
    return (
        make_pose(twelve[:3], Rotation.from_rotvec(twelve[3:6])),
        make_pose(twelve[6:9], Rotation.from_rotvec(twelve[9:])),
    )


def _residuals(
    twelve: FloatArray, views: Sequence[CalibrationView], moves: Sequence[Pose], lens: Lens
) -> FloatArray:
    """(corners of all views, 2) px."""
    camera, board = _unpack(twelve)
    from_camera = inverse(camera)
    errors = []
    for view, move in zip(views, moves, strict=True):
        pose = compose(from_camera, compose(move, board))
        projected, _ = cv2.projectPoints(
            view.corners.points_in_board_m,
            rotation_of(pose).as_rotvec(),
            pose.translation_m,
            lens.matrix,
            lens.distortion,
        )
        errors.append(projected.reshape(-1, 2) - view.corners.points_px)
    return np.concatenate(errors)


def _parts(views: Sequence[CalibrationView]) -> list[slice]:
    """Which corners are of which view."""
    ends = np.cumsum([len(view.corners.points_px) for view in views]).tolist()
    return [slice(begin, end) for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


def _leave_one_out(fit: OptimizeResult, parts: Sequence[slice]) -> tuple[float, float]:
    """Standard errors (m, rad) of the camera's pose: a jackknife of one Newton step each."""
    weights = 1.0 / np.sqrt(1.0 + (fit.fun / OUTLIER_PX) ** 2)  # of soft L1
    curvature = (fit.jac * weights[:, None]).T @ fit.jac
    poses = []
    for part in parts:
        rows = slice(2 * part.start, 2 * part.stop)
        weighted = (fit.jac[rows] * weights[rows, None]).T
        step = np.linalg.solve(curvature - weighted @ fit.jac[rows], weighted @ fit.fun[rows])
        poses.append(_unpack(fit.x + step)[0])
    places = np.array([pose.translation_m for pose in poses])
    back = rotation_of(_unpack(fit.x)[0]).inv()
    turns = np.array([(rotation_of(pose) * back).as_rotvec() for pose in poses])
    share = (len(parts) - 1) / len(parts)
    return (
        float(np.sqrt(share * np.sum((places - places.mean(axis=0)) ** 2))),
        float(np.sqrt(share * np.sum((turns - turns.mean(axis=0)) ** 2))),
    )
