"""With a camera that looks straight along z, so that depth is z."""

from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import CameraModel, DepthImage, Pose
from magma_ros.errors import CameraError
from magma_ros.image.projection import project
from magma_ros.image.surface_path import lift_points

CAMERA = CameraModel(320, 240, 400.0, 400.0, 160.0, 120.0, Pose(np.zeros(3), np.eye(4)[3]))
TRACE = np.stack([np.linspace(40.0, 280.0, 13), np.full(13, 100.0)], axis=1)


def sloping() -> DepthImage:
    """Further away to the right."""
    depth = np.broadcast_to(np.linspace(0.5, 0.8, 320, dtype=np.float32), (240, 320))
    return DepthImage(depth.copy(), 0)


def test_every_point_stays_on_its_pixel_and_gets_its_depth() -> None:
    lifted = lift_points(TRACE, sloping(), CAMERA)

    assert project(CAMERA, lifted) == pytest.approx(TRACE)
    assert lifted[:, 2] == pytest.approx(np.interp(TRACE[:, 0], [0, 319], [0.5, 0.8]), abs=0.002)


def test_a_small_hole_is_looked_around_and_a_large_one_is_bridged() -> None:
    whole, holed = sloping(), sloping()
    holed.depth_m[100, :] = 0.0  # the very pixels
    holed.depth_m[:, 120:200] = 0.0  # four of the points and everything near them

    lifted = lift_points(TRACE, holed, CAMERA)

    assert lifted[:, 2] == pytest.approx(lift_points(TRACE, whole, CAMERA)[:, 2], abs=0.003)
    assert project(CAMERA, lifted) == pytest.approx(TRACE)


def test_what_leaves_the_picture_keeps_the_last_depth() -> None:
    lifted = lift_points(np.array([[-40.0, 100.0], [20.0, 100.0]]), sloping(), CAMERA)

    assert lifted[0, 2] == lifted[1, 2] > 0.5


def test_without_any_reading_there_is_no_path() -> None:
    with pytest.raises(CameraError, match='13 points'):
        lift_points(TRACE, DepthImage(np.zeros((240, 320), np.float32), 0), CAMERA)
