"""The camera is found where it is, from rendered pictures of a printed board."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rendered_board import (
    LENS,
    SHAPE,
    TRUTH,
    BoardRenderer,
    board_in_camera,
    gripper_poses,
    is_in_view,
    pose_of,
    rendered_pictures,
)
from scipy.spatial.transform import Rotation

from magma_ros.camera.calibration_board import BoardCorners, BoardShape, CalibrationBoard
from magma_ros.camera.hand_eye import (
    CalibrationView,
    HandEyeResult,
    Mounting,
    place_board,
    solve_hand_eye,
)
from magma_ros.camera.lens import Lens
from magma_ros.camera.view_geometry import FEWEST_VIEWS, require_varied_views
from magma_ros.errors import CameraError
from magma_ros.rotations import make_pose, rotation_of

GOAL_M, GOAL_RAD = 0.002, np.deg2rad(0.3)  # what the issue asks for


def rendered_views(mounting: Mounting) -> list[CalibrationView]:
    board = CalibrationBoard(SHAPE)
    return [
        CalibrationView(f'view_{index}.png', corners, gripper)
        for index, (rgb, gripper) in enumerate(rendered_pictures(mounting))
        if (corners := board.find(rgb)) is not None
    ]


def errors_of(result: HandEyeResult) -> tuple[float, float]:
    camera, _ = TRUTH[result.mounting]
    turn = rotation_of(result.pose_camera) * rotation_of(camera).inv()
    off_m = np.linalg.norm(result.pose_camera.translation_m - camera.translation_m)
    return float(off_m), float(turn.magnitude())


@pytest.mark.parametrize('mounting', ['to_hand', 'in_hand'])
def test_the_camera_is_found_where_it_is(mounting: Mounting) -> None:
    views = rendered_views(mounting)

    result = solve_hand_eye(views, LENS, mounting)

    off_m, off_rad = errors_of(result)
    assert off_m < GOAL_M
    assert off_rad < GOAL_RAD
    assert result.error_px < 0.5
    assert set(result.view_errors_px) == {view.name for view in views}
    _, board = TRUTH[mounting]
    assert result.pose_board.translation_m == pytest.approx(board.translation_m, abs=GOAL_M)


def test_april_tags_place_the_board_as_well() -> None:
    board = CalibrationBoard(BoardShape('apriltag', 5, 4, 0.024, 0.019))
    pose = make_pose(np.array([-0.05, -0.04, 0.3]), Rotation.from_euler('xyz', [0.2, -0.3, 0.1]))
    with BoardRenderer(board) as renderer:
        corners = board.find(renderer.render(pose))

    assert corners is not None
    assert len(corners.points_px) == 80  # four of each tag
    found = place_board(corners, LENS, 'view')
    assert found.translation_m == pytest.approx(pose.translation_m, abs=0.002)
    assert (rotation_of(found) * rotation_of(pose).inv()).magnitude() < 0.01


def exact_views(
    count: int, spread_rad: float = 0.5, arm_error_m: float = 0.0, lens: Lens = LENS
) -> list[CalibrationView]:
    """Views on the board of the gripper without any picture: corners where they project to."""
    random = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(3), [0.0]), axis=-1).reshape(-1, 3)
    points = grid * 0.024
    views = []
    for gripper in gripper_poses(7, spread_rad):
        pose = board_in_camera(gripper, 'to_hand')
        if not is_in_view(pose, SHAPE.size_m):
            continue
        turn, shift = rotation_of(pose).as_rotvec(), pose.translation_m
        pixels, _ = cv2.projectPoints(points, turn, shift, lens.matrix, lens.distortion)
        noisy = pixels.reshape(-1, 2) + random.normal(0.0, 0.1, (len(points), 2))
        reported = make_pose(
            gripper.translation_m + random.normal(0.0, arm_error_m, 3), rotation_of(gripper)
        )
        views.append(CalibrationView(f'{len(views)}.png', BoardCorners(points, noisy), reported))
        if len(views) == count:
            return views
    raise AssertionError


def test_a_distorting_lens_is_no_source_of_error() -> None:
    lens = Lens(LENS.width_px, LENS.height_px, LENS.matrix, np.array([0.12, -0.25, 0, 0, 0]))
    views = exact_views(6, lens=lens)

    off_m, off_rad = errors_of(solve_hand_eye(views, lens, 'to_hand'))
    blind_m, _ = errors_of(solve_hand_eye(views, LENS, 'to_hand'))

    assert off_m < GOAL_M
    assert off_rad < GOAL_RAD
    assert blind_m > off_m


def test_the_expected_accuracy_tells_of_an_arm_that_does_not_know_where_it_is() -> None:
    exact = solve_hand_eye(exact_views(8), LENS, 'to_hand')
    vague = solve_hand_eye(exact_views(8, arm_error_m=0.003), LENS, 'to_hand')

    off_m, _ = errors_of(vague)
    assert exact.accuracy_m < 0.001
    assert vague.accuracy_m > 2 * exact.accuracy_m
    assert off_m < 4 * vague.accuracy_m
    assert vague.error_px > 5 * exact.error_px


def test_a_view_that_does_not_belong_stands_out_and_does_no_harm() -> None:
    views = exact_views(10)
    odd = views[4].pose_gripper_in_base
    moved = make_pose(odd.translation_m + [0.0, 0.03, 0.0], rotation_of(odd))
    views[4] = CalibrationView(views[4].name, views[4].corners, moved)

    result = solve_hand_eye(views, LENS, 'to_hand')

    worst = max(result.view_errors_px, key=lambda name: result.view_errors_px[name])
    assert worst == views[4].name
    assert errors_of(result)[0] < 0.010


def test_the_wrong_mounting_does_not_fit() -> None:
    result = solve_hand_eye(exact_views(6), LENS, 'in_hand')

    assert result.error_px > 5.0


def test_too_few_views_are_refused() -> None:
    with pytest.raises(CameraError, match=f'at least {FEWEST_VIEWS}'):
        solve_hand_eye(exact_views(FEWEST_VIEWS - 1), LENS, 'to_hand')


def test_views_of_a_gripper_that_hardly_turns_are_refused() -> None:
    with pytest.raises(CameraError, match='tilt it by 20 to 40 degrees'):
        solve_hand_eye(exact_views(8, spread_rad=0.03), LENS, 'to_hand')


def test_turns_about_one_axis_are_refused_with_the_axis() -> None:
    turns = [Rotation.from_rotvec([0.0, 0.0, angle]) for angle in np.linspace(-0.6, 0.6, 9)]
    poses = [make_pose(np.array([0.3, 0.0, 0.2]), turn) for turn in turns]

    with pytest.raises(CameraError, match=r'about one axis, \(0\.00 0\.00 -?1\.00\)'):
        require_varied_views(poses)
    tilted = [pose_of([0, 0, 0], [np.cos(a), 0, np.sin(a)], [0, 1, a], 0.1 * a) for a in range(9)]
    require_varied_views(tilted)


def test_corners_that_are_no_board_are_named() -> None:
    behind = exact_views(1)[0]
    turned = BoardCorners(behind.corners.points_in_board_m, np.zeros((12, 2)))

    with pytest.raises(CameraError, match='take it out'):
        place_board(turned, LENS, 'view_7.png')
