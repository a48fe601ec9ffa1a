"""Gestures in the axes of the base, the tool or the camera -> base axes."""

from __future__ import annotations

from magma_ros.data_types import Pose, Twist
from magma_ros.rotations import rotation_of
from magma_ros.teleop.gesture import Frame


def twist_in_base(twist: Twist, frame: Frame, tool: Pose | None, camera: Pose | None) -> Twist:
    """The same motion of the tool centre point in base axes.

    ``tool`` and ``camera`` are poses in the base frame, of which only the axes matter: the tool's
    x approaches and y opens, the camera's are the optical ones (x right, y down, z forward).

    Raises:
        LookupError: the frame that is asked for is not known (yet).
    """
    if frame == 'base':
        return twist
    pose = tool if frame == 'tool' else camera
    if pose is None:
        raise LookupError(f'the pose of the {frame} is not known')
    axes = rotation_of(pose)
    return Twist(axes.apply(twist.linear_m_s), axes.apply(twist.angular_rad_s))
