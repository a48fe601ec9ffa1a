"""Poses of calibration views: chains, means, and whether they differ enough to calibrate with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import Pose
from magma_ros.errors import CameraError
from magma_ros.rotations import apply_to_points, make_pose, rotation_of

FEWEST_VIEWS = 6
# Root mean square of the rotations about their second principal axis. Below, the place of the
# camera along the first axis is not determined (Tsai and Lenz, IEEE Trans. R&A 5(3), 1989).
LEAST_SPREAD_RAD = np.deg2rad(5.0)


def compose(outer: Pose, inner: Pose) -> Pose:
    """The transform ``inner``, then ``outer``."""
    shift = apply_to_points(outer, inner.translation_m)
    return make_pose(shift, rotation_of(outer) * rotation_of(inner))


def mean_pose(poses: Sequence[Pose]) -> Pose:
    """Mean place and mean rotation."""
    turns = Rotation.from_quat([pose.quaternion_xyzw for pose in poses])
    return make_pose(np.mean([pose.translation_m for pose in poses], axis=0), turns.mean())


def require_varied_views(poses: Sequence[Pose]) -> None:
    """Refuse views that cannot tell where the camera is.

    Raises:
        CameraError: too few, hardly turned, or turned about one axis only; says what to do.
    """
    if len(poses) < FEWEST_VIEWS:
        raise CameraError(
            f'{len(poses)} views of the board are not enough: take at least {FEWEST_VIEWS}, '
            'better 12 to 20, the gripper turned another way in each'
        )
    turns = Rotation.from_quat([pose.quaternion_xyzw for pose in poses])
    vectors = (turns.mean().inv() * turns).as_rotvec()
    _, lengths, axes = np.linalg.svd(vectors, full_matrices=False)
    first_rad, second_rad = (lengths / np.sqrt(len(poses)))[:2].tolist()
    if first_rad < LEAST_SPREAD_RAD:
        raise CameraError(
            f'the gripper turned by {np.rad2deg(first_rad):.1f} degrees only (root mean square): '
            'tilt it by 20 to 40 degrees between views, in all directions'
        )
    if second_rad < LEAST_SPREAD_RAD:
        axis = ' '.join(f'{part:.2f}' for part in axes[0])
        raise CameraError(
            f'all turns of the gripper are about one axis, ({axis}) in its own frame; about the '
            f'next one they are {np.rad2deg(second_rad):.1f} degrees (root mean square, at least '
            f'{np.rad2deg(LEAST_SPREAD_RAD):.0f} are needed): tilt it about others, too'
        )
