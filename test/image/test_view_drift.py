"""A camera that was moved is measured, scenes that differ are no alarm; on rendered pictures."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from magma_ros.errors import CameraError
from magma_ros.image.colour_order import ColourOrder
from magma_ros.image.picture_file import read_picture
from magma_ros.image.projection import project
from magma_ros.image.view_drift import ReferenceView
from magma_ros.resources import asset_path
from magma_ros.sim.model_building import CAMERA_LOOK_AT_M
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.scene import Variation

FOCAL_PX = 617.0
TASKS = ('put', 'pick', 'push', 'reach')
STRAIGHT = {'camera_shift_m': (0.0, 0.0, 0.0), 'look_at_shift_m': (0.0, 0.0, 0.0)}


@pytest.fixture(scope='module')
def reference():
    return ReferenceView(read_picture(asset_path('reference_views') / 'nano.png'))


@pytest.fixture
def take(world, camera):
    """A rendered picture of a random scene."""

    def take(seed: int, **changes):
        variation = Variation(brightness=0.25, distractors=seed % 3)
        scene = make_scenario(TASKS[seed % 4], seed, variation=variation).scene
        scene = replace(scene, **changes)
        world.reset(scene)
        camera.place(scene)
        return camera.render(0).rgb

    return take


def test_fifty_scenes_are_no_alarm_and_swapped_channels_one_each(reference, take) -> None:
    colours = ColourOrder(reference.rgb)
    for seed in range(50):
        picture = take(seed)
        assert colours.find_fault(picture) is None, seed
        swapped = colours.find_fault(picture[..., ::-1])
        assert swapped is not None
        assert swapped.code == 'CAMERA_COLOURS'
        drift = reference.compare(picture, FOCAL_PX)
        assert drift.find_fault() is None, (seed, drift)


@pytest.mark.parametrize(
    'look_at_m', [(0.0, 0.02, 0.0), (0.03, 0.0, 0.0), (0.0, 0.04, 0.0), (0.0, -0.05, 0.0)]
)
def test_a_turned_camera_is_measured(reference, take, camera, look_at_m) -> None:
    for seed in (1, 2, 3):
        picture = take(seed, **{**STRAIGHT, 'look_at_shift_m': look_at_m})
        middle = project(camera.model(), np.array(CAMERA_LOOK_AT_M))[0]
        true_px = np.linalg.norm(middle - [320.0, 240.0])

        drift = reference.compare(picture, FOCAL_PX)

        assert drift.shift_px == pytest.approx(true_px, abs=4.0)
        assert drift.turn_deg == pytest.approx(np.rad2deg(np.arctan(true_px / 617)), abs=0.4)
        assert (drift.find_fault() is not None) == (true_px > 25 or abs(drift.roll_deg) > 3)


@pytest.mark.parametrize('roll_deg', [2.0, 5.0, -10.0])
def test_a_rolled_camera_is_measured(reference, take, roll_deg) -> None:
    turning = cv2.getRotationMatrix2D((320, 240), -roll_deg, 1.0)
    for seed in (1, 2):
        picture = cv2.warpAffine(take(seed, **STRAIGHT), turning, (640, 480))

        drift = reference.compare(picture, FOCAL_PX)

        assert drift.roll_deg == pytest.approx(roll_deg, abs=0.3)
        assert drift.shift_px == pytest.approx(0.0, abs=2.5)
        assert (drift.find_fault() is not None) == (abs(roll_deg) > 3)


def test_another_place_is_said_to_be_one(reference, take) -> None:
    moved = reference.compare(take(4, camera_shift_m=(-0.44, 0.62, -0.01)), FOCAL_PX)

    assert moved.find_fault().code == 'CAMERA_MOVED'


def test_the_ghost_shows_both(reference, take) -> None:
    picture = take(1)
    ghost = reference.draw_ghost(picture)

    assert ghost.shape == picture.shape
    assert (ghost == (255, 0, 255)).all(axis=2).sum() > 500  # edges of the reference
    assert not np.array_equal(ghost, reference.draw_ghost(255 - picture))


def test_what_cannot_be_compared_is_named(reference) -> None:
    flat = np.full((480, 640, 3), 90, np.uint8)

    assert 'shares only 0 features' in reference.compare(flat, FOCAL_PX).find_fault().text
    with pytest.raises(CameraError, match='320 x 240, its reference 640 x 480'):
        reference.compare(flat[::2, ::2], FOCAL_PX)
    with pytest.raises(CameraError, match='only 0 features'):
        ReferenceView(flat)
