"""Where the camera is, as a file: parameters of perception_node, or a transform to publish."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from magma_ros.camera.hand_eye import HandEyeResult
from magma_ros.data_types import Pose
from magma_ros.errors import ConfigurationError
from magma_ros.yaml_tables import load_yaml

HEAD = """\
# Written by magma calibrate: {views} views, {error_px:.2f} px reprojection error (rms),
# expected accuracy {accuracy_mm:.2f} mm and {accuracy_deg:.3f} degrees (standard error).
# The same as a transform, for programs that read /tf_static:
#   {command}
"""
TO_HAND = """\
/perception_node:
  ros__parameters:
    camera_pose_source: parameter
    camera_pose: {seven}  # optical frame in the base: x y z (m), quaternion x y z w
"""
IN_HAND = """\
pose_camera_in_gripper: {seven}  # optical frame in {parent}: x y z (m), quaternion x y z w
"""


def write_extrinsics(path: Path, result: HandEyeResult, parent: str, child: str) -> None:
    """Write the camera's pose; to hand: as a parameter file of perception_node.

    Args:
        path: of the file.
        result: what to write.
        parent: base frame (to hand) or frame of the gripper (in hand).
        child: optical frame of the camera.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    text = HEAD.format(
        views=len(result.view_errors_px),
        error_px=result.error_px,
        accuracy_mm=result.accuracy_m * 1e3,
        accuracy_deg=np.rad2deg(result.accuracy_rad),
        command=publisher_command(result.pose_camera, parent, child),
    )
    body = TO_HAND if result.mounting == 'to_hand' else IN_HAND
    text += body.format(seven=_seven(result.pose_camera), parent=parent)
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise ConfigurationError(f'{path} cannot be written: {error}') from error


def read_camera_pose(path: Path) -> tuple[float, ...]:
    """``camera_pose`` of perception_node from a file of a camera beside the arm.

    Raises:
        ConfigurationError: there is no such file, or it is of another kind.
    """
    if not path.is_file():
        raise ConfigurationError(f'{path} does not exist: magma calibrate solve writes it')
    table = load_yaml(path)
    try:
        values = table['/perception_node']['ros__parameters']['camera_pose']
        seven = tuple(float(value) for value in values)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f'{path} says nothing about a camera beside the arm ({error}): give what magma '
            'calibrate solve --mounting to_hand has written'
        ) from error
    if len(seven) != 7 or not np.isfinite(seven).all():
        raise ConfigurationError(f'{path}: camera_pose needs seven numbers, not {values}')
    return seven


def publisher_command(pose: Pose, parent: str, child: str) -> str:
    """What publishes a pose on /tf_static."""
    x, y, z = pose.translation_m
    qx, qy, qz, qw = pose.quaternion_xyzw
    return (
        f'ros2 run tf2_ros static_transform_publisher --x {x:.6f} --y {y:.6f} --z {z:.6f} '
        f'--qx {qx:.7f} --qy {qy:.7f} --qz {qz:.7f} --qw {qw:.7f} '
        f'--frame-id {parent} --child-frame-id {child}'
    )


def _seven(pose: Pose) -> list[float]:
    return [
        *np.round(pose.translation_m, 6).tolist(),
        *np.round(pose.quaternion_xyzw, 8).tolist(),
    ]
