from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraModel, DepthImage
from magma_ros.image.depth_lifting import deproject
from magma_ros.image.projection import project
from magma_ros.rotations import make_pose

LOOKING_DOWN = Rotation.from_matrix([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
CAMERA = CameraModel(
    64, 48, 60.0, 60.0, 32.0, 24.0, make_pose(np.array([0.3, 0.0, 0.8]), LOOKING_DOWN)
)


def test_the_point_below_the_camera_is_in_the_middle() -> None:
    assert np.allclose(project(CAMERA, np.array([0.3, 0.0, 0.1])), [[32.0, 24.0]])


def test_right_in_the_picture_is_where_the_camera_says() -> None:
    # Optical x is base y here, optical y is base x.
    pixels = project(CAMERA, np.array([[0.3, 0.1, 0.2], [0.4, 0.0, 0.2]]))
    assert np.allclose(pixels, [[42.0, 24.0], [32.0, 34.0]])


def test_points_behind_the_camera_have_no_pixels() -> None:
    pixels = project(CAMERA, np.array([[0.3, 0.0, 1.2], [0.3, 0.0, 0.0]]))
    assert np.isnan(pixels[0]).all()
    assert np.isfinite(pixels[1]).all()


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 3.0), st.integers(0, 2**31))
def test_projection_undoes_depth(depth_m: float, seed: int) -> None:
    turn = Rotation.random(random_state=np.random.default_rng(seed))
    camera = CameraModel(8, 6, 9.0, 11.0, 4.0, 3.0, make_pose(np.array([0.1, 0.2, 0.3]), turn))
    depth = DepthImage(np.full((6, 8), depth_m, dtype=np.float32), 0)
    pixels = project(camera, deproject(depth, camera).reshape(-1, 3)).reshape(6, 8, 2)
    rows, columns = np.indices((6, 8))
    assert np.allclose(pixels, np.stack([columns + 0.5, rows + 0.5], axis=-1), atol=1e-4)
