from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from magma_ros.camera.extrinsics_file import read_camera_pose, write_extrinsics
from magma_ros.camera.view_folder import CAMERA_INFO, POSES, ViewFolder, read_poses
from magma_ros.errors import CameraError, ConfigurationError
from magma_ros.rotations import make_pose
from magma_ros.tools import calibrate
from magma_ros.tools.magma import main
from magma_ros.yaml_tables import load_yaml

sys.path.insert(0, str(Path(__file__).parents[1] / 'camera'))

from rendered_board import LENS, SHAPE, TRUTH, rendered_pictures  # noqa: E402

from magma_ros.camera.calibration_board import BoardShape, CalibrationBoard  # noqa: E402

BOARD = ['--columns', '5', '--rows', '4', '--square-mm', '24', '--marker-mm', '18']


@pytest.fixture(scope='module')
def view_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered views with the poses of the arm."""
    folder = tmp_path_factory.mktemp('calibration') / 'views'
    views = ViewFolder(folder, LENS)
    for rgb, gripper in rendered_pictures('to_hand'):
        views.add(rgb, gripper)
    return folder


def solve(folder: Path, out: Path, *more: str) -> int:
    mounting = () if '--mounting' in more else ('--mounting', 'to_hand')
    return main(['calibrate', 'solve', str(folder), '--out', str(out), *mounting, *BOARD, *more])


def test_a_folder_of_views_becomes_parameters_of_perception(
    view_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / 'camera.yaml'

    assert solve(view_folder, out) == 0

    camera, _ = TRUTH['to_hand']
    seven = read_camera_pose(out)
    assert seven[:3] == pytest.approx(camera.translation_m, abs=0.002)
    between = Rotation.from_quat(seven[3:]) * Rotation.from_quat(camera.quaternion_xyzw).inv()
    assert between.magnitude() < np.deg2rad(0.3)
    node = load_yaml(out)['/perception_node']['ros__parameters']
    assert node['camera_pose_source'] == 'parameter'
    assert 'static_transform_publisher' in out.read_text()
    printed = capsys.readouterr().out
    assert 'px (rms); expected accuracy' in printed
    assert 'view_8.png' in printed


def test_a_camera_on_the_gripper_is_no_parameter_of_perception(tmp_path: Path) -> None:
    pose, path = make_pose(np.zeros(3), Rotation.identity()), tmp_path / 'camera.yaml'
    result = calibrate.HandEyeResult('in_hand', pose, pose, 0.2, {'a': 0.2}, 0.0005, 0.001)

    write_extrinsics(path, result, 'wx250s/ee_gripper_link', 'camera_color_optical_frame')

    assert '--frame-id wx250s/ee_gripper_link' in path.read_text()
    with pytest.raises(ConfigurationError, match='a camera beside the arm'):
        read_camera_pose(path)


def test_another_board_than_the_printed_one_is_noticed(
    view_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for name in (CAMERA_INFO, 'view_1.png'):
        (tmp_path / name).write_bytes((view_folder / name).read_bytes())
    (tmp_path / POSES).write_text((view_folder / POSES).read_text().splitlines()[0])

    code = solve(tmp_path, tmp_path / 'camera.yaml', '--board', 'apriltag')

    assert code == 2
    assert 'no board of 5 x 4 (apriltag) in view_1.png' in capsys.readouterr().err


def test_poses_may_be_json(view_folder: Path, tmp_path: Path) -> None:
    poses = read_poses(view_folder)
    table = {
        name: {
            'translation_m': pose.translation_m.tolist(),
            'quaternion_xyzw': pose.quaternion_xyzw.tolist(),
        }
        for name, pose in poses.items()
    }
    (tmp_path / 'gripper_poses.json').write_text(json.dumps(table))

    again = read_poses(tmp_path)

    assert list(again) == list(poses)
    np.testing.assert_allclose(
        again['view_3.png'].translation_m, poses['view_3.png'].translation_m
    )


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('', 'must name pictures'),
        ('v.png: {translation_m: [0, 0, 0]}', 'quaternion_xyzw'),
        ('v.png: {translation_m: [0, 0], quaternion_xyzw: [0, 0, 0, 1]}', 'three numbers'),
        ('v.png: {translation_m: [0, 0, 0], quaternion_xyzw: [0, 0, 0, 2]}', 'unit'),
        ('v.png: {translation_m: [0, 0, a], quaternion_xyzw: [0, 0, 0, 1]}', 'numbers are needed'),
        ('../v.png: {translation_m: [0, 0, 0], quaternion_xyzw: [0, 0, 0, 1]}', 'beside this'),
    ],
)
def test_wrong_poses_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / POSES).write_text(text)

    with pytest.raises(ConfigurationError, match=complaint):
        read_poses(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='magma calibrate collect'):
        read_poses(tmp_path)
    with pytest.raises(ConfigurationError, match=CAMERA_INFO):
        calibrate.read_views(tmp_path, CalibrationBoard(BoardShape()))


def test_views_of_another_resolution_are_refused(view_folder: Path, tmp_path: Path) -> None:
    for name in (POSES, 'view_1.png'):
        (tmp_path / name).write_bytes((view_folder / name).read_bytes())
    text = (view_folder / CAMERA_INFO).read_text().replace('640', '1280')
    (tmp_path / CAMERA_INFO).write_text(text)

    with pytest.raises(CameraError, match='is for 1280 x 480'):
        calibrate.read_views(tmp_path, CalibrationBoard(SHAPE))


def test_views_are_never_overwritten(view_folder: Path) -> None:
    with pytest.raises(ConfigurationError, match='another folder'):
        ViewFolder(view_folder, LENS)


@pytest.mark.parametrize('kind', ['charuco', 'apriltag'])
def test_a_printed_board_has_its_size_and_can_be_found(tmp_path: Path, kind: str) -> None:
    out = tmp_path / 'board.png'

    assert main(['calibrate', 'board', '--out', str(out), '--board', kind]) == 0

    page = Image.open(out)
    board = CalibrationBoard(BoardShape(kind))
    dots_per_m = page.info['dpi'][0] / 0.0254
    assert page.width / dots_per_m == pytest.approx(board.shape.size_m[0] + 0.02, abs=2e-4)
    corners = board.find(np.asarray(page.convert('RGB')))
    assert corners is not None
    step_px = np.linalg.norm(corners.points_px[-1] - corners.points_px[0])
    step_m = np.linalg.norm(corners.points_in_board_m[-1] - corners.points_in_board_m[0])
    assert step_px / step_m == pytest.approx(dots_per_m, rel=2e-3)


def test_a_board_can_be_a_pdf(tmp_path: Path) -> None:
    out = tmp_path / 'board.pdf'

    assert main(['calibrate', 'board', '--out', str(out)]) == 0

    assert out.read_bytes()[:5] == b'%PDF-'
    assert main(['calibrate', 'board', '--out', str(tmp_path / 'board.svg')]) == 2


@pytest.mark.parametrize(
    'shape', [BoardShape('chess'), BoardShape(marker_m=0.04), BoardShape(columns=2)]
)
def test_impossible_boards_are_named(shape: BoardShape) -> None:
    with pytest.raises(ConfigurationError):
        CalibrationBoard(shape)


def test_a_good_result_has_no_complaints_and_a_vague_one_has() -> None:
    pose = make_pose(np.zeros(3), Rotation.identity())
    errors = dict.fromkeys('abcdef', 0.2)
    good = calibrate.HandEyeResult('to_hand', pose, pose, 0.2, errors, 0.0005, 0.001)
    vague = calibrate.HandEyeResult('to_hand', pose, pose, 0.2, errors, 0.004, 0.001)
    odd = calibrate.HandEyeResult('to_hand', pose, pose, 0.9, {**errors, 'g': 3}, 0.001, 0.001)

    assert calibrate.find_complaints(good) == []
    assert '4.0 mm' in calibrate.find_complaints(vague)[0]
    assert calibrate.find_complaints(odd)[0].startswith('g do not fit')


def test_help_names_the_three_steps() -> None:
    parser = argparse.ArgumentParser()
    calibrate.add_arguments(parser)

    assert all(
        f'magma calibrate {step}' in parser.epilog for step in ('board', 'collect', 'solve')
    )
