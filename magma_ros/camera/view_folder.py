"""A folder of calibration views: pictures, where the gripper was at each, and the lens.

    gripper_poses.yaml   view_1.png: {translation_m: [x, y, z], quaternion_xyzw: [x, y, z, w]}
    camera_info.yaml     as camera_calibration writes it
    view_1.png ...       of the size that camera_info.yaml names

``gripper_poses.json`` with the same contents does as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magma_ros.camera.calibration_board import CalibrationBoard
from magma_ros.camera.hand_eye import CalibrationView
from magma_ros.camera.lens import Lens, read_lens
from magma_ros.data_types import Pose
from magma_ros.errors import CameraError, ConfigurationError
from magma_ros.image.picture_file import read_picture, write_picture
from magma_ros.yaml_tables import check_keys, load_yaml

POSES = 'gripper_poses.yaml'
POSES_JSON = 'gripper_poses.json'
CAMERA_INFO = 'camera_info.yaml'
POSE_KEYS = ('translation_m', 'quaternion_xyzw')


def read_views(folder: Path, board: CalibrationBoard) -> tuple[list[CalibrationView], Lens]:
    """The views in which the board is seen, and the lens.

    Raises:
        ConfigurationError: a file is missing, or not what it should be.
        CameraError: a picture is damaged or of another size, or the board is in none.
    """
    lens, poses = read_lens(folder / CAMERA_INFO), read_poses(folder)
    views, without = [], []
    for name, pose in poses.items():
        rgb = read_picture(folder / name)
        if rgb.shape[1::-1] != (lens.width_px, lens.height_px):
            raise CameraError(
                f'{folder / name} is {rgb.shape[1]} x {rgb.shape[0]}, {CAMERA_INFO} is for '
                f'{lens.width_px} x {lens.height_px}: use the calibration of this resolution'
            )
        corners = board.find(rgb)
        if corners is None:
            without.append(name)
        else:
            views.append(CalibrationView(name, corners, pose))
    if not views:
        shape = board.shape
        raise CameraError(
            f'no board of {shape.columns} x {shape.rows} ({shape.kind}) in {", ".join(without)}: '
            'give the kind and the numbers of the board that was printed'
        )
    return views, lens


def read_poses(folder: Path) -> dict[str, Pose]:
    """Pose of the gripper in the base, by the name of a picture.

    Raises:
        ConfigurationError: there is no such file, or it names other files or what is no pose.
    """
    path = next((folder / n for n in (POSES, POSES_JSON) if (folder / n).is_file()), None)
    if path is None:
        raise ConfigurationError(
            f'{folder} has no {POSES}: magma calibrate collect makes such a folder'
        )
    table = load_yaml(path)  # JSON is YAML
    if not isinstance(table, dict) or not table:
        raise ConfigurationError(f'{path} must name pictures and the poses of the gripper')
    return {str(name): _read_pose(path, str(name), one) for name, one in table.items()}


class ViewFolder:
    """A folder that grows view by view.

    Raises:
        ConfigurationError: it cannot be made, or holds views already.
    """

    def __init__(self, folder: Path, lens: Lens) -> None:
        self._folder, self._poses = folder, dict[str, Pose]()
        if (folder / POSES).exists():
            raise ConfigurationError(f'{folder} has views already: choose another folder')
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / CAMERA_INFO).write_text(_lens_text(lens), encoding='utf-8')
        except OSError as error:
            raise ConfigurationError(f'{folder} cannot be written to: {error}') from error

    def add(self, rgb: NDArray[np.uint8], pose_gripper_in_base: Pose) -> str:
        """One more view; the name of its picture."""
        name = f'view_{len(self._poses) + 1}.png'
        write_picture(rgb, self._folder / name)
        self._poses[name] = pose_gripper_in_base
        lines = [f'{name}: {_pose_text(pose)}\n' for name, pose in self._poses.items()]
        (self._folder / POSES).write_text(''.join(lines), encoding='utf-8')
        return name


def _read_pose(path: Path, name: str, values: Mapping[str, Any]) -> Pose:
    where = f'{path}, {name}'
    if Path(name).name != name:
        raise ConfigurationError(f'{where}: pictures lie beside this file')
    check_keys(values, POSE_KEYS, where, POSE_KEYS)
    try:
        place = np.array(values['translation_m'], dtype=float)
        turn = np.array(values['quaternion_xyzw'], dtype=float)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f'{where}: {error}; numbers are needed') from error
    is_unit = turn.shape == (4,) and abs(np.linalg.norm(turn) - 1.0) < 1e-3
    if place.shape != (3,) or not np.isfinite(place).all() or not is_unit:
        raise ConfigurationError(
            f'{where}: needs three numbers of translation_m and a unit quaternion_xyzw'
        )
    return Pose(place, turn / np.linalg.norm(turn))


def _pose_text(pose: Pose) -> str:
    values = (pose.translation_m.tolist(), pose.quaternion_xyzw.tolist())
    return json.dumps(dict(zip(POSE_KEYS, values, strict=True)))


def _lens_text(lens: Lens) -> str:
    matrix, distortion = lens.matrix.ravel().tolist(), lens.distortion.tolist()
    kind = 'rational_polynomial' if len(distortion) > 5 else 'plumb_bob'
    return (
        f'image_width: {lens.width_px}\n'
        f'image_height: {lens.height_px}\n'
        f'camera_matrix: {{rows: 3, cols: 3, data: {matrix}}}\n'
        f'distortion_model: {kind}\n'
        f'distortion_coefficients: {{rows: 1, cols: {len(distortion)}, data: {distortion}}}\n'
    )
