"""What perception has received: newest messages, turned into an observation when one is wanted."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from magma_ros.data_types import ArmState, CameraImage, CameraModel, DepthImage, Observation, Pose
from magma_ros.errors import CameraError
from magma_ros.image.stream_checks import RateWatch
from magma_ros.latest_value import LatestValue
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.joint_reading import HISTORY_S, nearest_stamp
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import arm_state_from_message
from magma_ros.ros.camera_messages import (
    camera_from_message,
    depth_from_message,
    image_from_compressed,
    image_from_message,
)
from magma_ros.ros.camera_topics import compressed_colour_topic
from magma_ros.ros.static_transforms import StaticTransforms
from magma_ros.ros.time_stamps import stamp_to_ns

DEPTH_OFF_S = 1.0  # and depth this far: the table stands still while it is looked at


@dataclass(frozen=True)
class Arrival:
    """A picture message and when it came."""

    message: Image | CompressedImage
    came_ns: int  # ROS clock
    came_s: float  # monotonic

    @property
    def stamp_ns(self) -> int:
        """Of the picture."""
        return stamp_to_ns(self.message.header.stamp)

    def read(self) -> CameraImage:
        """The picture; raises CameraError."""
        if isinstance(self.message, CompressedImage):
            return image_from_compressed(self.message)
        return image_from_message(self.message)


class PerceptionInputs:
    """Callbacks only store; the thread that looks converts what it needs.

    Args:
        node: subscribes.
        profile: of the arm.
        camera_namespace: of the camera driver.
        camera_pose: in the base frame, None to take it from /tf_static.
        compressed: whether to read JPEG and PNG in the place of raw pictures.
        rate_hz: of pictures that is expected; 0: any.
    """

    def __init__(
        self,
        node: Node,
        profile: ArmProfile,
        camera_namespace: str,
        camera_pose: Pose | None,
        compressed: bool = False,
        rate_hz: float = 0.0,
    ) -> None:
        self._node = node
        self._profile, self._kinematics = profile, profile.kinematics()
        self._camera_pose, self._transforms = camera_pose, StaticTransforms()
        self.pictures: LatestValue[Arrival] = LatestValue()
        self.rate = RateWatch(rate_hz)  # for the thread of the callbacks
        self.instructions: LatestValue[str] = LatestValue()
        self._depth: LatestValue[Image] = LatestValue()
        self._info: LatestValue[CameraInfo] = LatestValue()
        self._joints: deque[JointState] = deque()
        self._joints_lock = threading.Lock()
        camera = topics.camera_topics(camera_namespace)
        colour = compressed_colour_topic(camera_namespace) if compressed else camera['colour']
        self._subscriptions = [
            colour.subscribe(node, self._on_picture),
            camera['colour_info'].subscribe(node, lambda m: self._info.put(m, time.monotonic())),
            camera['depth'].subscribe(node, lambda m: self._depth.put(m, time.monotonic())),
            topics.JOINT_STATES.subscribe(node, self._on_joints),
            topics.INSTRUCTION.subscribe(node, self._on_instruction),
            topics.STATIC_TRANSFORMS.subscribe(node, self._on_transforms),
        ]

    def close(self) -> None:
        """Hear nothing more."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

    def observe(self, image: CameraImage) -> Observation:
        """Everything that belongs to a picture.

        Raises:
            CameraError: camera_info or the pose of the camera is missing.
            ArmError: no joint states near the picture's stamp, or of another arm.
        """
        return Observation(
            image,
            self._arm_at(image.stamp_ns),
            self._camera(image.frame_id),
            lambda: self._depth_for(image),
        )

    def _camera(self, frame_id: str) -> CameraModel:
        info = self._info.peek()
        if info is None:
            raise CameraError('CAMERA_FORMAT: no camera_info; look at the camera driver')
        pose = self._camera_pose or self._transforms.pose(frame_id, self._profile.base_link)
        return camera_from_message(info, pose)

    def _arm_at(self, stamp_ns: int) -> ArmState:
        with self._joints_lock:
            states = list(self._joints)
        stamps_ns = [stamp_to_ns(state.header.stamp) for state in states]
        nearest = states[nearest_stamp(stamps_ns, stamp_ns)]
        return arm_state_from_message(nearest, self._profile, self._kinematics)

    def _depth_for(self, image: CameraImage) -> DepthImage:
        message = self._depth.peek()
        if message is None:
            raise CameraError(
                'CAMERA_STALE: no aligned depth; switch align_depth on (path mode needs it)'
            )
        depth = depth_from_message(message)
        if abs(depth.stamp_ns - image.stamp_ns) * 1e-9 > DEPTH_OFF_S:
            raise CameraError('CAMERA_STALE: depth is too old for the picture; look at the camera')
        if depth.depth_m.shape != image.rgb.shape[:2]:
            (height, width), (rows, columns) = depth.depth_m.shape, image.rgb.shape[:2]
            raise CameraError(
                f'CAMERA_FORMAT: depth is {width} x {height}, the picture {columns} x {rows}; '
                'depth must be aligned to colour (align_depth)'
            )
        return depth

    def _on_picture(self, message: Image | CompressedImage) -> None:
        now_s = time.monotonic()
        came_ns = self._node.get_clock().now().nanoseconds
        self.rate.note(now_s)
        self.pictures.put(Arrival(message, came_ns, now_s), now_s)

    def _on_joints(self, message: JointState) -> None:
        with self._joints_lock:
            self._joints.append(message)
            oldest_ns = stamp_to_ns(message.header.stamp) - int(HISTORY_S * 1e9)
            while stamp_to_ns(self._joints[0].header.stamp) < oldest_ns:
                self._joints.popleft()

    def _on_instruction(self, message: String) -> None:
        self.instructions.put(message.data, time.monotonic())

    def _on_transforms(self, message: TFMessage) -> None:
        self._transforms.add(message)


def pose_from_seven(values: tuple[float, ...]) -> Pose:
    """Seven numbers, x y z (m) and qx qy qz qw, as a pose.

    Raises:
        CameraError: not seven values, or no unit quaternion.
    """
    numbers = np.array(values, dtype=float)
    if numbers.shape != (7,) or abs(np.linalg.norm(numbers[3:]) - 1.0) > 1e-3:
        raise CameraError(
            f'camera_pose {values} is not a pose; it needs x y z in m and a unit quaternion xyzw'
        )
    return Pose(numbers[:3], numbers[3:] / np.linalg.norm(numbers[3:]))
