"""A RealSense-like camera in the simulated world: RGB, aligned depth, and where it stands."""

from __future__ import annotations

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraImage, CameraModel, DepthImage, FloatArray
from magma_ros.errors import EnvironmentMissing
from magma_ros.rotations import make_pose
from magma_ros.sim.model_building import (
    AMBIENT,
    CAMERA_LOOK_AT_M,
    CAMERA_POSITION_M,
    DIFFUSE,
    LIGHT_POSITION_M,
    PICTURE_HEIGHT_PX,
    PICTURE_WIDTH_PX,
    VERTICAL_VIEW_DEG,
)
from magma_ros.sim.scene import Scene
from magma_ros.sim.world import World

OPTICAL_FRAME = 'camera_color_optical_frame'
# MuJoCo's camera looks along -z with y up; the optical frame (REP-103) looks along +z with y down.
_OPTICAL_FROM_MUJOCO = Rotation.from_euler('x', np.pi)


class SimCamera:
    """Renders the world off-screen.

    ``pretty`` adds shadows: 12 to 22 ms a picture instead of about 5.

    Raises:
        EnvironmentMissing: no off-screen OpenGL on this machine.
    """

    def __init__(self, world: World, pretty: bool = False) -> None:
        self._world = world
        try:
            self._renderer = mujoco.Renderer(world.model, PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX)
        # MuJoCo raises bare exceptions of several kinds when EGL is missing.
        except Exception as error:
            raise EnvironmentMissing(
                f'no off-screen rendering ({error}): install libegl1 and libgl1-mesa-dri and set '
                'MUJOCO_GL=egl'
            ) from error
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._renderer.scene.flags[flag] = pretty
        for flag in (mujoco.mjtRndFlag.mjRND_HAZE, mujoco.mjtRndFlag.mjRND_SKYBOX):
            self._renderer.scene.flags[flag] = False

    def place(self, scene: Scene) -> None:
        """Put camera and light where the scene wants them. Call after ``World.reset``."""
        model = self._world.model
        position = np.array(CAMERA_POSITION_M) + scene.camera_shift_m
        rotation = _look_at(position, np.array(CAMERA_LOOK_AT_M) + scene.look_at_shift_m)
        camera = model.camera('camera')
        camera.pos[:] = position
        camera.quat[:] = rotation.as_quat(scalar_first=True)
        light = model.light('key')
        light.pos[:] = np.array(LIGHT_POSITION_M) + scene.light_shift_m
        light.diffuse[:] = DIFFUSE * scene.brightness
        model.vis.headlight.ambient[:] = AMBIENT * scene.brightness
        mujoco.mj_camlight(model, self._world.data)

    def render(self, stamp_ns: int) -> CameraImage:
        """The colour picture of this instant, (480, 640, 3)."""
        self._renderer.update_scene(self._world.data, 'camera')
        return CameraImage(self._renderer.render().copy(), stamp_ns, OPTICAL_FRAME)

    def render_depth(self, stamp_ns: int) -> DepthImage:
        """Depth along the optical axis, aligned to the colour picture.

        In whole millimetres, as a D435 gives it.
        """
        self._renderer.enable_depth_rendering()
        try:
            self._renderer.update_scene(self._world.data, 'camera')
            depth = self._renderer.render()
        finally:
            self._renderer.disable_depth_rendering()
        return DepthImage((np.round(depth * 1000.0) / 1000.0).astype(np.float32), stamp_ns)

    def model(self) -> CameraModel:
        """Pinhole parameters and the pose of the optical frame in the arm's base frame."""
        focal = 0.5 * PICTURE_HEIGHT_PX / np.tan(np.deg2rad(VERTICAL_VIEW_DEG) / 2)
        camera = self._world.model.camera('camera')
        rotation = Rotation.from_quat(camera.quat, scalar_first=True) * _OPTICAL_FROM_MUJOCO
        return CameraModel(
            PICTURE_WIDTH_PX,
            PICTURE_HEIGHT_PX,
            focal,
            focal,
            PICTURE_WIDTH_PX / 2,
            PICTURE_HEIGHT_PX / 2,
            make_pose(camera.pos.copy(), rotation),
        )

    def close(self) -> None:
        """Free the OpenGL context."""
        self._renderer.close()


def _look_at(position: FloatArray, target: FloatArray) -> Rotation:
    backward = position - target
    backward /= np.linalg.norm(backward)
    right = np.cross([0.0, 0.0, 1.0], backward)
    right /= np.linalg.norm(right)
    return Rotation.from_matrix(np.stack([right, np.cross(backward, right), backward], axis=1))
