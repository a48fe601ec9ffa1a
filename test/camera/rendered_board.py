"""Pictures of a calibration board as MuJoCo renders them, and the truth about them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice

import cv2
import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.camera.calibration_board import BoardShape, CalibrationBoard
from magma_ros.camera.hand_eye import Mounting
from magma_ros.camera.lens import Lens
from magma_ros.camera.view_geometry import compose
from magma_ros.data_types import FloatArray, Pose
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.rotations import inverse, make_pose, rotation_of

WIDTH, HEIGHT, VIEW_DEG = 640, 480, 45.0
PIXELS_PER_M = 6000.0
COUNT = 8  # views of each mounting
BORDER = 0.12  # white around the board, as a share of its width
FOCAL = 0.5 * HEIGHT / np.tan(np.deg2rad(VIEW_DEG) / 2)
# OpenCV counts pixels from the middle of the first one, OpenGL from its edge.
LENS = Lens(
    WIDTH,
    HEIGHT,
    np.array([[FOCAL, 0, WIDTH / 2 - 0.5], [0, FOCAL, HEIGHT / 2 - 0.5], [0, 0, 1]]),
    np.zeros(5),
)
OPENGL_FROM_OPTICAL = Rotation.from_euler('x', np.pi)
WORLD = """
<mujoco>
  <asset>
    <texture name="board" type="2d" file="board.png"/>
    <material name="board" texture="board" texuniform="false" specular="0"/>
  </asset>
  <visual>
    <global offwidth="{width}" offheight="{height}"/>
    <headlight ambient=".6 .6 .6" diffuse=".3 .3 .3" specular="0 0 0"/>
    <map znear=".02"/>
    <quality offsamples="8"/>
  </visual>
  <worldbody>
    <body name="board" mocap="true">
      <geom type="plane" size="{half_x} {half_y} .01" material="board"/>
    </body>
    <body name="camera" mocap="true"><camera name="camera" fovy="{view}"/></body>
  </worldbody>
</mujoco>
"""


class BoardRenderer:
    """Renders one board; use with ``with``."""

    def __init__(self, board: CalibrationBoard) -> None:
        self._size_m = np.array(board.shape.size_m)
        drawn = board.draw(PIXELS_PER_M)
        margin = round(BORDER * drawn.shape[1])
        sheet = np.pad(drawn, margin, constant_values=255)
        half_m = (self._size_m + 2 * margin / PIXELS_PER_M) / 2
        _, png = cv2.imencode('.png', cv2.cvtColor(sheet, cv2.COLOR_GRAY2BGR))
        text = WORLD.format(
            width=WIDTH, height=HEIGHT, view=VIEW_DEG, half_x=half_m[0], half_y=half_m[1]
        )
        self._model = mujoco.MjModel.from_xml_string(text, {'board.png': png.tobytes()})
        self._data = mujoco.MjData(self._model)
        self._renderer = mujoco.Renderer(self._model, HEIGHT, WIDTH)

    def __enter__(self) -> BoardRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()

    def render(self, pose_board_in_camera: Pose) -> np.ndarray:
        """``pose``: of the board's corner, its x along the rows and y down, as OpenCV has it."""
        middle = make_pose(np.array([*self._size_m / 2, 0.0]), Rotation.from_euler('x', np.pi))
        plane = compose(pose_board_in_camera, middle)  # its normal looks at the camera
        self._data.mocap_pos[0] = plane.translation_m
        self._data.mocap_quat[0] = rotation_of(plane).as_quat(scalar_first=True)
        self._data.mocap_pos[1] = 0.0
        self._data.mocap_quat[1] = OPENGL_FROM_OPTICAL.as_quat(scalar_first=True)
        mujoco.mj_forward(self._model, self._data)
        self._renderer.update_scene(self._data, 'camera')
        return self._renderer.render().copy()


def gripper_poses(seed: int, spread_rad: float = 0.5) -> Iterator[Pose]:
    """Poses a WidowX reaches, by the forward kinematics of random joints."""
    kinematics = load_arm_profile('wx250s').kinematics()
    random = np.random.default_rng(seed)
    middle = np.array([0.0, -0.2, 0.2, 0.0, 0.6, 0.0])
    while True:
        yield kinematics.forward(middle + random.uniform(-spread_rad, spread_rad, 6))


def is_in_view(pose_board_in_camera: Pose, size_m: tuple[float, float]) -> bool:
    """Whether all corners are in the picture, and the board is not seen too flat."""
    width, height = size_m
    corners = np.array([[0, 0, 0], [width, 0, 0], [0, height, 0], [width, height, 0]])
    points = rotation_of(pose_board_in_camera).apply(corners) + pose_board_in_camera.translation_m
    if points[:, 2].min() < 0.1:
        return False
    pixels = points[:, :2] / points[:, 2:] * FOCAL + [WIDTH / 2, HEIGHT / 2]
    inside = (pixels > 5).all() and (pixels < [WIDTH - 5, HEIGHT - 5]).all()
    facing = rotation_of(pose_board_in_camera).apply([0, 0, 1])[2]
    return bool(inside and facing > 0.7)


def pose_of(translation_m: FloatArray, x: FloatArray, z: FloatArray, tilt_rad: float) -> Pose:
    """A pose by two of its axes, tilted a little, so that no number is a round one."""
    z = np.array(z) / np.linalg.norm(z)
    y = np.cross(z, x) / np.linalg.norm(np.cross(z, x))
    axes = Rotation.from_matrix(np.stack([np.cross(y, z), y, z], axis=1))
    return make_pose(np.array(translation_m), axes * Rotation.from_euler('xyz', [tilt_rad] * 3))


# mounting -> camera and board in the frames of HandEyeResult. A board's z points away from whoever
# sees it; a camera's z is where it looks; the fingers point along the gripper's x.
TRUTH: dict[Mounting, tuple[Pose, Pose]] = {
    'to_hand': (
        pose_of([0.74, 0.05, 0.44], [0.0, 1.0, 0.0], [-0.9, -0.05, -0.45], 0.05),
        pose_of([0.05, -0.05, 0.05], [0.0, 1.0, 0.0], [-0.47, 0.0, -0.85], 0.08),
    ),
    'in_hand': (
        pose_of([-0.05, 0.01, 0.06], [0.0, -1.0, 0.0], [1.0, 0.0, -0.1], 0.07),
        pose_of([0.72, 0.10, 0.12], [0.0, -1.0, 0.0], [0.9, 0.0, -0.45], 0.04),
    ),
}
SHAPE = BoardShape('charuco', 5, 4, 0.024, 0.018)  # 120 x 96 mm: fits a gripper


def board_in_camera(gripper: Pose, mounting: Mounting) -> Pose:
    camera, board = TRUTH[mounting]
    move = gripper if mounting == 'to_hand' else inverse(gripper)
    return compose(inverse(camera), compose(move, board))


@cache
def rendered_pictures(mounting: Mounting) -> tuple[tuple[np.ndarray, Pose], ...]:
    """COUNT pictures with the board in them, and where the gripper was."""
    seen = (
        gripper
        for gripper in gripper_poses(seed=3)
        if is_in_view(board_in_camera(gripper, mounting), SHAPE.size_m)
    )
    with BoardRenderer(CalibrationBoard(SHAPE)) as renderer:
        return tuple(
            (renderer.render(board_in_camera(gripper, mounting)), gripper)
            for gripper in islice(seen, COUNT)
        )
