from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.image.depth_lifting import deproject, find_block
from magma_ros.image.projection import project
from magma_ros.sim.camera import OPTICAL_FRAME, SimCamera
from magma_ros.sim.scenario import make_scenario
from magma_ros.sim.tasks import CUBE_EDGE_M

CHANNEL = {'red cube': 0, 'green cube': 1, 'blue cube': 2}
SEEDS = range(6)


def lay(world, camera, seed: int):
    scene = make_scenario('reach', seed).scene
    scene = replace(scene, start_m=(0.20, 0.0, 0.19), start_rpy_rad=(0.0, 0.0, 0.0))
    world.reset(scene)
    camera.place(scene)
    return scene


def test_a_cube_is_where_its_projection_says(world, camera) -> None:
    for seed in SEEDS:
        scene = lay(world, camera, seed)
        picture, positions = camera.render(0).rgb, world.truth().positions_m
        for name in scene.cubes:
            x, y = project(camera.model(), positions[name])[0].astype(int)
            red_green_blue = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(axis=0)
            assert red_green_blue.argmax() == CHANNEL[name]
            assert red_green_blue.max() > 2 * np.sort(red_green_blue)[1]


def test_depth_at_a_cube_lifts_to_its_top(world, camera) -> None:
    for seed in SEEDS:
        scene = lay(world, camera, seed)
        model = camera.model()
        cloud, positions = deproject(camera.render_depth(0), model), world.truth().positions_m
        for name in scene.cubes:
            top = positions[name] + [0.0, 0.0, CUBE_EDGE_M / 2]
            x, y = project(model, top)[0].astype(int)
            assert np.linalg.norm(cloud[y, x] - top) < 0.003
            block = find_block(cloud, top)  # measured over the whole face: the scale is right too
            assert block is not None
            assert np.linalg.norm(block.centre_m - top) < 0.003


def test_intrinsics_are_those_of_a_d435(camera) -> None:
    model = camera.model()

    assert (model.width_px, model.height_px) == (640, 480)
    assert model.focal_x_px == model.focal_y_px == pytest.approx(617, abs=1)
    assert (model.centre_x_px, model.centre_y_px) == (320, 240)


def test_picture_and_depth_have_the_promised_form(world, camera) -> None:
    lay(world, camera, 0)
    picture, depth = camera.render(5), camera.render_depth(6)

    assert picture.rgb.shape == (480, 640, 3)
    assert picture.rgb.dtype == np.uint8
    assert (picture.stamp_ns, picture.frame_id) == (5, OPTICAL_FRAME)
    assert depth.depth_m.shape == (480, 640)
    assert depth.depth_m.dtype == np.float32
    assert depth.stamp_ns == 6
    millimetres = depth.depth_m.astype(float) * 1000
    assert np.abs(millimetres - np.round(millimetres)).max() < 1e-3


def test_a_picture_stays_as_it_is_when_the_next_is_taken(world, camera) -> None:
    lay(world, camera, 0)
    first = camera.render(0)
    before = first.rgb.copy()
    lay(world, camera, 1)
    second = camera.render(1)

    assert np.array_equal(first.rgb, before)
    assert not np.array_equal(first.rgb, second.rgb)


def test_the_scene_moves_the_camera_and_dims_the_light(world, camera) -> None:
    scene = make_scenario('reach', 0).scene
    world.reset(scene)
    camera.place(replace(scene, camera_shift_m=(0.0, 0.0, 0.0), brightness=1.2))
    bright, at = camera.render(0).rgb.mean(), camera.model().pose_camera_in_base.translation_m
    camera.place(replace(scene, camera_shift_m=(0.01, 0.0, 0.0), brightness=0.8))
    dim, moved = camera.render(0).rgb.mean(), camera.model().pose_camera_in_base.translation_m

    assert moved - at == pytest.approx([0.01, 0.0, 0.0])
    assert dim < 0.92 * bright


def test_without_opengl_the_error_says_what_to_install(world, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError('no EGL display')

    monkeypatch.setattr(mujoco, 'Renderer', fail)

    with pytest.raises(EnvironmentMissing, match='no EGL display.*libegl1.*MUJOCO_GL=egl'):
        SimCamera(world)
