"""Takes calibration views from the running camera and arm: a picture, and the gripper's pose."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image, JointState

from magma_ros.camera.lens import PLUMB_BOB, UNKNOWN_POSE, Lens
from magma_ros.data_types import CameraImage, Pose
from magma_ros.errors import ArmError, CameraError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros.arm_messages import arm_state_from_message
from magma_ros.ros.camera_messages import camera_from_message, image_from_message
from magma_ros.ros.camera_topics import camera_topics
from magma_ros.ros.time_stamps import stamp_to_ns

STILL_S, STILL_RAD = 0.5, 0.003  # joints that moved by less within this time stand
APART_S = 0.2  # picture and joint states may be


class CalibrationCollector:
    """Listens to one camera and one arm; use with ``with``.

    Args:
        profile: of the arm.
        namespace: of the camera driver.
    """

    def __init__(self, profile: ArmProfile, namespace: str) -> None:
        self._profile, self._kinematics = profile, profile.kinematics()
        self._image: Image | None = None
        self._info: CameraInfo | None = None
        self._joints: deque[JointState] = deque()  # of the last STILL_S
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node('magma_calibration_collector', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        camera = camera_topics(namespace)
        self._names = (
            camera['colour'].name,
            camera['colour_info'].name,
            profile.joint_states_topic,
        )
        camera['colour'].subscribe(self._node, self._on_image)
        camera['colour_info'].subscribe(self._node, self._on_info)
        self._node.create_subscription(
            JointState, profile.joint_states_topic, self._on_joints, qos_profile_sensor_data
        )

    def __enter__(self) -> CalibrationCollector:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave ROS."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def spin(self, duration_s: float) -> None:
        """Hear what comes."""
        self._executor.spin_once(duration_s)

    def missing(self) -> list[str]:
        """Topics that were not heard yet."""
        heard = (self._image, self._info, self._joints or None)
        return [name for name, one in zip(self._names, heard, strict=True) if one is None]

    def lens(self) -> Lens:
        """Of the camera; raises CameraError for one that is not calibrated."""
        info = self._require(self._info)
        camera_from_message(info, UNKNOWN_POSE)  # checks the focal lengths
        if info.distortion_model and info.distortion_model not in PLUMB_BOB:
            raise CameraError(
                f'the distortion model {info.distortion_model} of {self._names[1]} is not '
                f'supported, only {", ".join(PLUMB_BOB)}: publish rectified pictures'
            )
        distortion = np.array(info.d if len(info.d) else [0.0] * 5, dtype=float)
        return Lens(info.width, info.height, np.array(info.k).reshape(3, 3), distortion)

    def take(self) -> tuple[CameraImage, Pose]:
        """The newest picture, and the pose of the gripper in the base.

        Raises:
            CameraError: nothing was heard, or the two are not of the same moment.
            ArmError: the arm moves, or is another one.
        """
        joints = self._require(self._joints[-1] if self._joints else None)
        image = image_from_message(self._require(self._image))
        apart_s = abs(stamp_to_ns(joints.header.stamp) - image.stamp_ns) * 1e-9
        if apart_s > APART_S:
            raise CameraError(
                f'picture and joint states are {apart_s:.2f} s apart: wait, or synchronise clocks'
            )
        before, arm = (
            arm_state_from_message(one, self._profile, self._kinematics)
            for one in (self._joints[0], joints)
        )
        moved_rad = float(np.abs(arm.joint_positions_rad - before.joint_positions_rad).max())
        if moved_rad > STILL_RAD or arm.stamp_ns - before.stamp_ns < STILL_S * 0.5e9:
            raise ArmError(f'the arm moves ({moved_rad:.3f} rad): wait until it stands')
        return image, arm.pose_gripper_in_base

    def _require(self, message: Any) -> Any:
        if message is None:
            raise CameraError(
                f'nothing heard of {", ".join(self.missing())}: start camera and arm, and look '
                'at ROS_DOMAIN_ID'
            )
        return message

    def _on_image(self, message: Image) -> None:
        self._image = message

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_joints(self, message: JointState) -> None:
        self._joints.append(message)
        newest_ns = stamp_to_ns(message.header.stamp)
        while newest_ns - stamp_to_ns(self._joints[0].header.stamp) > STILL_S * 1e9:
            self._joints.popleft()
