"""A lens: pinhole and distortion, from a calibration file or assumed where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraModel, FloatArray, Pose
from magma_ros.errors import ConfigurationError
from magma_ros.rotations import make_pose
from magma_ros.yaml_tables import load_yaml

UNKNOWN_POSE = make_pose(np.zeros(3), Rotation.identity())  # of a camera nobody asked about
ASSUMED_VIEW_DEG = 69.0  # horizontal; the colour camera of a D435 (data sheet)
PLUMB_BOB = ('plumb_bob', 'rational_polynomial')  # the models whose coefficients OpenCV takes


@dataclass(frozen=True)
class Lens:
    """Pinhole matrix and the distortion coefficients of OpenCV (k1 k2 p1 p2 k3 ...)."""

    width_px: int
    height_px: int
    matrix: FloatArray  # (3, 3)
    distortion: FloatArray  # (n,)

    def camera_model(self, pose_camera_in_base: Pose = UNKNOWN_POSE) -> CameraModel:
        """The pinhole part, at a place."""
        return CameraModel(
            self.width_px,
            self.height_px,
            float(self.matrix[0, 0]),
            float(self.matrix[1, 1]),
            float(self.matrix[0, 2]),
            float(self.matrix[1, 2]),
            pose_camera_in_base,
        )


def assume_lens(width_px: int, height_px: int) -> Lens:
    """A D435's field of view without distortion: for pictures whose camera is not known."""
    focal = 0.5 * width_px / np.tan(np.deg2rad(ASSUMED_VIEW_DEG) / 2)
    matrix = np.array([[focal, 0, width_px / 2], [0, focal, height_px / 2], [0, 0, 1]])
    return Lens(width_px, height_px, matrix, np.zeros(5))


def lens_of(camera: CameraModel) -> Lens:
    """The lens of a camera without distortion."""
    matrix = np.array(
        [
            [camera.focal_x_px, 0.0, camera.centre_x_px],
            [0.0, camera.focal_y_px, camera.centre_y_px],
            [0.0, 0.0, 1.0],
        ]
    )
    return Lens(camera.width_px, camera.height_px, matrix, np.zeros(5))


def read_lens(path: Path) -> Lens:
    """A file as camera_info_manager and camera_calibration write it.

    Raises:
        ConfigurationError: it is missing, no YAML, or not the calibration of a camera.
    """
    if not path.is_file():
        raise ConfigurationError(f'{path} does not exist: name the calibration of the camera')
    table = load_yaml(path)
    try:
        width, height = int(table['image_width']), int(table['image_height'])
        matrix = np.array(table['camera_matrix']['data'], dtype=float).reshape(3, 3)
        distortion = np.array(table['distortion_coefficients']['data'], dtype=float)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f'{path} is no camera calibration ({error}): it needs image_width, image_height, '
            'camera_matrix and distortion_coefficients, as camera_calibration writes them'
        ) from error
    kind = table.get('distortion_model', PLUMB_BOB[0])
    if kind not in PLUMB_BOB:
        raise ConfigurationError(
            f'{path}: distortion model {kind!r} is not supported, only {", ".join(PLUMB_BOB)}'
        )
    finite = np.isfinite(matrix).all() and np.isfinite(distortion).all()
    if not (finite and matrix[0, 0] > 0 and matrix[1, 1] > 0 and min(width, height) > 0):
        raise ConfigurationError(
            f'{path}: focal lengths {matrix[0, 0]:g}, {matrix[1, 1]:g} of a {width} x {height} '
            'picture cannot be; calibrate the camera'
        )
    return Lens(width, height, matrix, distortion)
