"""Watches a trial from outside: where the end effector goes, and what the camera sees."""

from __future__ import annotations

import os
import threading
from types import TracebackType

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image, JointState

from magma_ros.data_types import FloatArray
from magma_ros.errors import ArmError
from magma_ros.latest_value import LatestValue
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import arm_state_from_message
from magma_ros.ros.camera_messages import image_from_message
from magma_ros.ros.process_environment import process_environment
from magma_ros.ros.time_stamps import stamp_to_ns

SPIN_S = 0.05
KEPT_S = 0.018  # between joint states: 50 Hz of a faster stream
CAMERA = '/camera/camera'


class TrialWatch:
    """A node of its own, spun by a thread of its own. Use with ``with``.

    Args:
        arm: profile.
        domain_id: ROS domain; None keeps the inherited one.
        camera_namespace: of the camera driver.
    """

    def __init__(
        self, arm: str, domain_id: int | None = None, camera_namespace: str = CAMERA
    ) -> None:
        self._profile = load_arm_profile(arm)
        self._kinematics = self._profile.kinematics()
        self._camera = topics.camera_topics(camera_namespace)['colour']
        os.environ.update(process_environment())  # read when the first node is made
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('magma_trial_watch', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._joints: list[JointState] | None = None  # None: nobody wants them
        self._node.create_subscription(
            JointState, self._profile.joint_states_topic, self._on_joints,
            topics.JOINT_STATES.wanted,
        )  # fmt: skip
        self._pictures: LatestValue[Image] = LatestValue()
        self._is_picture_wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name='watch', daemon=True)
        self._thread.start()

    def __enter__(self) -> TrialWatch:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the domain."""
        self._stopped.set()
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def begin(self) -> None:
        """Note where the arm is from now on."""
        self._joints = []

    def end(self) -> tuple[FloatArray, FloatArray]:
        """Times since the first (n,), s, and positions of the end effector (n, 3), base frame."""
        messages, self._joints = self._joints or [], None
        times_s, positions_m = [], []
        for message in messages:
            try:
                state = arm_state_from_message(message, self._profile, self._kinematics)
            except ArmError:  # of another arm on the same topic, or cut short: no position
                continue
            times_s.append(stamp_to_ns(message.header.stamp) * 1e-9)
            positions_m.append(state.pose_gripper_in_base.translation_m)
        times = np.asarray(times_s, float)
        return times - times[:1].sum(), np.asarray(positions_m, float).reshape(-1, 3)

    def picture(self, timeout_s: float = 3.0) -> NDArray[np.uint8] | None:
        """What the camera sees now, RGB (height, width, 3); None: it shows nothing."""
        self._pictures.take(0.0)  # of the last time
        self._is_picture_wanted.set()
        message = self._pictures.take(timeout_s)
        self._is_picture_wanted.clear()
        return None if message is None else image_from_message(message).rgb

    def _run(self) -> None:
        subscription = None  # pictures cost too much to be received all the time
        while not self._stopped.is_set():
            if self._is_picture_wanted.is_set() and subscription is None:
                subscription = self._camera.subscribe(self._node, self._on_picture)
            elif not self._is_picture_wanted.is_set() and subscription is not None:
                self._node.destroy_subscription(subscription)
                subscription = None
            self._executor.spin_once(SPIN_S)

    def _on_picture(self, message: Image) -> None:
        self._pictures.put(message, 0.0)

    def _on_joints(self, message: JointState) -> None:
        kept = self._joints
        if kept is None:
            return
        gap_ns = stamp_to_ns(message.header.stamp) - (
            stamp_to_ns(kept[-1].header.stamp) if kept else 0
        )
        if gap_ns >= KEPT_S * 1e9:
            kept.append(message)
