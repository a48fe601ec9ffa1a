"""Films simulated episodes and knows where every piece of surface in the picture goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraModel, DeltaChunk, FloatArray, Observation
from magma_ros.evaluation.core_runs import ExpertPolicy
from magma_ros.image.projection import project
from magma_ros.model.text.trace_text import GRID
from magma_ros.rotations import apply_to_points
from magma_ros.sim.camera import SimCamera
from magma_ros.sim.model_building import PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX
from magma_ros.sim.rollout import run_episode
from magma_ros.sim.scenario import Scenario
from magma_ros.sim.world import World

SWAY_M = (0.005, 0.005, 0.005)  # of the camera, each way
SWAY_DEG = (3.0, 4.0, 1.5)
SWAY_PERIODS_S = (5.0, 6.1, 4.3)
TURN_PERIODS_S = (5.3, 7.0, 6.0)


@dataclass(frozen=True)
class FilmFrame:
    """A picture and what the simulator knows of it."""

    rgb: NDArray[np.uint8]  # (height, width, 3)
    depth_m: NDArray[np.float32]  # (height, width), along the optical axis
    body: NDArray[np.int16]  # (height, width), -1 where there is none
    body_positions_m: FloatArray  # (bodies, 3)
    body_axes: FloatArray  # (bodies, 3, 3), columns
    camera: CameraModel


class FilmStudio:
    """A simulated table, a camera on it that may sway, and the scripted expert."""

    def __init__(self, world: World, camera: SimCamera) -> None:
        self._world, self._camera = world, camera
        self._renderer = mujoco.Renderer(world.model, PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX)
        self._film: list[FilmFrame] = []
        self._still: tuple[FloatArray, Rotation] | None = None  # the camera before it sways

    def film(self, scenario: Scenario, sways: bool) -> list[FilmFrame]:
        """One episode at the rate of the policy, with a camera that stands still or sways."""
        self._film = []
        self._expert = ExpertPolicy(self._world, scenario.task)
        self._still = None
        run_episode(
            self._world,
            self._camera,
            self,
            scenario.task,
            scenario.scene,
            on_tick=self._sway if sways else None,
        )
        return self._film

    def act(self, observation: Observation, sequence: int) -> DeltaChunk:
        """For ``run_episode``: notes the truth and lets the expert act."""
        self._film.append(self._look(observation))
        return self._expert.act(observation, sequence)

    def latency_s(self) -> float:
        """Of the expert."""
        return self._expert.latency_s()

    def close(self) -> None:
        """Free the renderer."""
        self._renderer.close()

    def _look(self, observation: Observation) -> FilmFrame:
        model, data, renderer = self._world.model, self._world.data, self._renderer
        renderer.update_scene(data, 'camera')
        renderer.enable_depth_rendering()
        depth_m = renderer.render().copy()
        renderer.disable_depth_rendering()
        renderer.enable_segmentation_rendering()
        geom, kind = np.moveaxis(renderer.render(), 2, 0)
        renderer.disable_segmentation_rendering()
        is_geom = kind == int(mujoco.mjtObj.mjOBJ_GEOM)
        body = np.where(is_geom, model.geom_bodyid[np.maximum(geom, 0)], -1)
        return FilmFrame(
            observation.image.rgb,
            depth_m,
            body.astype(np.int16),
            data.xpos.copy(),
            data.xmat.reshape(-1, 3, 3).copy(),
            observation.camera,
        )

    def _sway(self, now_s: float) -> None:
        camera = self._world.model.camera('camera')
        if self._still is None:
            turn = Rotation.from_quat(camera.quat, scalar_first=True)
            self._still = camera.pos.copy(), turn
        position_m, rotation = self._still
        camera.pos[:] = position_m + _wave(SWAY_M, SWAY_PERIODS_S, now_s)
        turned = np.deg2rad(_wave(SWAY_DEG, TURN_PERIODS_S, now_s))
        swayed = rotation * Rotation.from_rotvec(turned)
        camera.quat[:] = swayed.as_quat(scalar_first=True)
        mujoco.mj_camlight(self._world.model, self._world.data)


def true_tracks(film: Sequence[FilmFrame], cells: FloatArray) -> FloatArray:
    """Where the surface seen at ``cells`` (n, 2) of the first frame is in each frame, (T, n, 2).

    As the first frame's camera would see it; NaN where there is no surface.
    """
    first = film[0]
    camera = first.camera
    scale = np.array([camera.width_px, camera.height_px]) / GRID
    pixels = cells * scale
    column, row = np.floor(pixels).astype(int).T
    depth_m, body = first.depth_m[row, column].astype(float), first.body[row, column]
    ray = (pixels - [camera.centre_x_px, camera.centre_y_px]) / [
        camera.focal_x_px,
        camera.focal_y_px,
    ]
    in_camera = np.column_stack([ray, np.ones(len(ray))]) * depth_m[:, None]
    in_base = apply_to_points(camera.pose_camera_in_base, in_camera)
    in_base[body < 0] = np.nan
    axes, origin = first.body_axes[body], first.body_positions_m[body]
    in_body = np.einsum('nij,ni->nj', axes, in_base - origin)
    return np.stack(
        [
            project(
                camera,
                np.einsum('nij,nj->ni', frame.body_axes[body], in_body)
                + frame.body_positions_m[body],
            )
            / scale
            for frame in film
        ]
    )


def _wave(sizes: Sequence[float], periods_s: Sequence[float], now_s: float) -> FloatArray:
    return np.array(sizes) * np.sin(2 * np.pi * now_s / np.array(periods_s))
