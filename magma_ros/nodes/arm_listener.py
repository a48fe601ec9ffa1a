"""What can be heard of one arm: joint states, transforms, its description, what Servo sends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import ArmState, FloatArray, Pose
from magma_ros.errors import ArmError, CameraError
from magma_ros.latest_value import LatestValue
from magma_ros.nodes.arm_reading import ArmReading
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import trajectory_columns
from magma_ros.ros.static_transforms import StaticTransforms
from magma_ros.ros.time_stamps import stamp_to_ns
from magma_ros.ros.topic_kinds import ENCODERS, LATCHED, make_topic

STALE_S, STALE_SIMULATED_S = 0.1, 1.0  # joint states older than this are not acted upon
ESTOP_S = 0.3  # its silence
JOINT_STATE = 'sensor_msgs/msg/JointState'


class ArmListener:
    """Subscribes; whoever owns the node spins it.

    Args:
        node: subscribes.
        profile: of the arm; its topics need no remapping.
    """

    def __init__(self, node: Node, profile: ArmProfile) -> None:
        self._node, self._profile = node, profile
        self._joints: LatestValue[JointState] = LatestValue()
        self._estop: LatestValue[bool] = LatestValue()
        self._transforms = StaticTransforms()
        self._watched = {profile.joint_states_topic}
        self.reading = ArmReading(profile)
        self.commanded_rad: FloatArray | None = None  # (dof,), newest point of Servo
        self.others_rad: dict[str, float] = {}  # joints that are not of this arm
        self.urdf: str | None = None  # what robot_description says
        self.is_simulated = False  # by our own simulation
        for topic, name, callback in (
            (topics.JOINT_STATES, profile.joint_states_topic, self._on_joints),
            (topics.ARM_TRAJECTORY, profile.trajectory_topic, self._on_trajectory),
            (topics.TRANSFORMS, topics.TRANSFORMS.name, self._transforms.add),
            (topics.STATIC_TRANSFORMS, topics.STATIC_TRANSFORMS.name, self._transforms.add),
            (topics.ESTOP, topics.ESTOP.name, self._on_estop),
        ):
            replace(topic, name=name).subscribe(node, callback)
        topics.heartbeat_topic('sim_node').subscribe(node, self._on_simulation)
        namespace = profile.joint_states_topic.rpartition('/')[0]
        for name in {'/robot_description', f'{namespace}/robot_description'}:
            node.create_subscription(String, name, self._on_description, LATCHED)

    @property
    def positions(self) -> dict[str, float]:
        """Newest joint states by name, as they came; empty: none did."""
        message = self._joints.peek()
        return {} if message is None else dict(zip(message.name, message.position, strict=False))

    @property
    def is_estop_heard(self) -> bool:
        """Whether the emergency stop ever said anything."""
        return self._estop.peek() is not None

    @property
    def is_estop_released(self) -> bool:
        """Whether the emergency stop is heard, and not pressed."""
        return self._estop.peek() is True and self._estop.age_s(time.monotonic()) < ESTOP_S

    @property
    def clock_skew_s(self) -> float | None:
        """Between the stamp of the newest joint states and their arrival; None without any."""
        if self._joints.peek() is None:
            return None
        return self._stamp_age_s() - self._joints.age_s(time.monotonic())

    @property
    def tip_by_transforms(self) -> Pose | None:
        """Pose of the tip link in the base link by /tf; None: /tf does not have it."""
        try:
            return self._transforms.pose(self._profile.tip_link, self._profile.base_link)
        except CameraError:
            return None

    def read(self) -> ArmState | None:
        """The newest state that made sense, however old; call it often, it keeps count."""
        return self.reading.take(self._joints.peek(), self._age_s(), time.monotonic())

    def arm_state(self) -> ArmState:
        """The arm now.

        Raises:
            ArmError: joint states are old or make no sense.
        """
        state = self.read()
        age_s = self._age_s()
        if self.reading.fault is not None:
            raise ArmError(self.reading.fault)
        if state is None or age_s > (STALE_SIMULATED_S if self.is_simulated else STALE_S):
            topic = self._profile.joint_states_topic
            raise ArmError(f'no joint states on {topic} for {age_s:.2f} s; is the driver running?')
        return state

    def look_for_other_arms(self) -> None:
        """Listen to joint states of other topics, too; call it now and then."""
        for name, kinds in self._node.get_topic_names_and_types():
            if JOINT_STATE in kinds and name not in self._watched:
                self._watched.add(name)
                other = make_topic(name, JointState, ENCODERS, 'other arms', '', '')
                other.subscribe(self._node, self._taker_of_others(f'{name}: '))

    def _age_s(self) -> float:
        """Of the newest joint states: by arrival and by stamp, the worse counts."""
        age_s = self._joints.age_s(time.monotonic())
        return age_s if self._joints.peek() is None else max(age_s, abs(self._stamp_age_s()))

    def _stamp_age_s(self) -> float:
        message = self._joints.peek()
        assert message is not None  # asked only when there is one
        now_ns = self._node.get_clock().now().nanoseconds
        return (now_ns - stamp_to_ns(message.header.stamp)) * 1e-9

    def _on_joints(self, message: JointState) -> None:
        self._joints.put(message, time.monotonic())
        ours = {*self._profile.joint_names, self._profile.gripper_joint}
        pairs = zip(message.name, message.position, strict=False)
        self.others_rad |= {name: position for name, position in pairs if name not in ours}

    def _taker_of_others(self, prefix: str) -> Callable[[JointState], None]:
        def take(message: JointState) -> None:
            pairs = zip(message.name, message.position, strict=False)
            self.others_rad |= {f'{prefix}{name}': position for name, position in pairs}

        return take

    def _on_trajectory(self, message: JointTrajectory) -> None:
        try:
            columns = trajectory_columns(message, self._profile.joint_names)
        except ArmError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        if message.points:
            self.commanded_rad = np.array(message.points[-1].positions)[columns]

    def _on_estop(self, message: Bool) -> None:
        self._estop.put(message.data, time.monotonic())

    def _on_simulation(self, _: object) -> None:
        self.is_simulated = True

    def _on_description(self, message: String) -> None:
        self.urdf = message.data
