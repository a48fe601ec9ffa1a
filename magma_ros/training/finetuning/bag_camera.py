"""The camera of a bag: its lens from ``camera_info``, where it stands from ``/tf_static``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from magma_ros.data_types import CameraModel, Pose
from magma_ros.dataset.reading.bag_folder import open_folder
from magma_ros.dataset.reading.message_stream import MessageStream
from magma_ros.dataset.reading.ros_decoding import decode
from magma_ros.errors import RecordingError
from magma_ros.rotations import apply_to_points, make_pose, rotation_of

CAMERA_INFO = '/camera/camera/color/camera_info'
TRANSFORMS = '/tf_static'


def read_camera(bag: Path, base_frame: str, info_topic: str = CAMERA_INFO) -> CameraModel:
    """The last of both that the bag holds.

    Raises:
        RecordingError: one is missing, or they do not lead from the camera to the base.
    """
    info: Any = None
    parents: dict[str, tuple[str, Pose]] = {}
    for message in MessageStream(open_folder(bag), {info_topic, TRANSFORMS}):
        content = decode(message)
        if message.topic == info_topic:
            info = content
            continue
        for one in content.transforms:
            shift, turn = one.transform.translation, one.transform.rotation
            pose = make_pose(
                np.array([shift.x, shift.y, shift.z]),
                Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]),
            )
            parents[one.child_frame_id] = (one.header.frame_id, pose)
    if info is None:
        raise RecordingError(f'{bag} has no message of {info_topic}: record it, too')
    return CameraModel(
        int(info.width),
        int(info.height),
        float(info.k[0]),
        float(info.k[4]),
        float(info.k[2]),
        float(info.k[5]),
        _pose_in_base(str(info.header.frame_id), base_frame, parents, bag),
    )


def _pose_in_base(
    frame: str, base_frame: str, parents: dict[str, tuple[str, Pose]], bag: Path
) -> Pose:
    pose, child = make_pose(np.zeros(3), Rotation.identity()), frame
    for _ in range(len(parents) + 1):
        if child == base_frame:
            return pose
        if child not in parents:
            break
        child, step = parents[child]
        translation_m = apply_to_points(step, pose.translation_m[None])[0]
        pose = make_pose(translation_m, rotation_of(step) * rotation_of(pose))
    raise RecordingError(
        f'{bag}: {TRANSFORMS} does not lead from {frame!r} to {base_frame!r}: record it while the '
        'pose of the camera is published'
    )
