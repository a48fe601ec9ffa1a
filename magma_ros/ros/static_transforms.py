"""Where a camera is, from ``/tf_static``: a chain of fixed transforms, no tf2 needed."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

from magma_ros.data_types import Pose
from magma_ros.errors import CameraError
from magma_ros.ros.arm_messages import transform_from_message
from magma_ros.rotations import apply_to_points, make_pose, rotation_of


class StaticTransforms:
    """Remembers the parent of each frame."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Pose]] = {}

    def add(self, message: TFMessage) -> None:
        """Take up transforms; newer ones replace older ones of the same child."""
        for transform in message.transforms:
            pose = transform_from_message(transform)
            self._parents[transform.child_frame_id] = (transform.header.frame_id, pose)

    def pose(self, frame: str, base: str) -> Pose:
        """Pose of ``frame`` in ``base``.

        Raises:
            CameraError: the chain of fixed transforms does not lead to ``base``.
        """
        chain: list[Pose] = []
        reached = frame
        while reached != base:
            if reached not in self._parents or len(chain) > len(self._parents):
                raise CameraError(
                    f'TF: no fixed transform from {base} to {frame}, the chain ends at {reached}; '
                    'publish the calibration on /tf_static or set camera_pose_source to parameter'
                )
            reached, pose = self._parents[reached]
            chain.append(pose)
        whole = make_pose(np.zeros(3), Rotation.identity())
        for pose in reversed(chain):
            shift = apply_to_points(whole, pose.translation_m)
            whole = make_pose(shift, rotation_of(whole) * rotation_of(pose))
        return whole
