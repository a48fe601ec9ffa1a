"""What the controller hears: chunks, joints, perception, emergency stop; and their ages."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Header
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import ArmState, DeltaChunk
from magma_ros.errors import ArmError, ConfigurationError
from magma_ros.latest_value import LatestValue
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.watchdog import Cause, Severity
from magma_ros.nodes.control_tick import Inputs
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.arm_messages import arm_state_from_message
from magma_ros.ros.chunk_messages import ChunkPairing, info_from_message
from magma_ros.ros.status_messages import ERROR, status_values
from magma_ros.ros.time_stamps import stamp_to_ns


@dataclass(frozen=True)
class _Newest:
    """Mailboxes, written by callbacks and read by the control loop."""

    joints: LatestValue[JointState]
    chunk: LatestValue[DeltaChunk]
    estop: LatestValue[bool]
    perception: LatestValue[DiagnosticStatus]
    heartbeat: LatestValue[Header]


class ControllerInputs:
    """Subscribes; :meth:`read` may be called from any thread.

    Args:
        node: subscribes.
        profile: of the arm.
        perception_hold_s: silence of perception that is a cause to hold.
        require_estop: the emergency stop is watched before it was heard, too.
    """

    def __init__(
        self, node: Node, profile: ArmProfile, perception_hold_s: float, require_estop: bool
    ) -> None:
        self._node, self._profile, self._kinematics = node, profile, profile.kinematics()
        self._perception_hold_s, self._require_estop = perception_hold_s, require_estop
        self._newest = _Newest(*(LatestValue() for _ in range(5)))
        self._pairing = ChunkPairing()
        self._reading = threading.Lock()
        self._unread = 0  # messages that could not be understood, since the last reading
        self._arm: ArmState | None = None
        self._arm_message: JointState | None = None
        self.arm_fault: str | None = None
        newest = self._newest
        topics.JOINT_STATES.subscribe(node, lambda m: newest.joints.put(m, time.monotonic()))
        topics.PERCEPTION_STATE.subscribe(
            node, lambda m: newest.perception.put(m, time.monotonic())
        )
        topics.heartbeat_topic('perception_node').subscribe(
            node, lambda m: newest.heartbeat.put(m, time.monotonic())
        )
        topics.ESTOP.subscribe(node, self._on_estop)
        topics.ACTION_CHUNK.subscribe(node, self._on_chunk)
        topics.ACTION_INFO.subscribe(node, self._on_info)

    def read(self, now_s: float, now_ns: int) -> Inputs:
        """Everything as it is now, on the monotonic and on the ROS clock."""
        with self._reading:
            joints, estop = self._newest.joints.peek(), self._newest.estop.peek()
            age_s = self._newest.joints.age_s(now_s)
            if joints is not None:  # two ages count, and stamps of the future are as bad
                age_s = max(age_s, abs(now_ns - stamp_to_ns(joints.header.stamp)) * 1e-9)
            is_watched = self._require_estop or estop is not None
            return Inputs(
                self._arm_state(joints),
                age_s,
                self._newest.chunk.peek(),
                self._newest.estop.age_s(now_s) if is_watched else None,
                estop is False,
                self._reported(now_s),
            )

    def _arm_state(self, message: JointState | None) -> ArmState | None:
        if message is not None and message is not self._arm_message:
            try:
                self._arm = arm_state_from_message(message, self._profile, self._kinematics)
                self.arm_fault = None
            except ArmError as error:
                self.arm_fault = str(error)
            self._arm_message = message
        return self._arm

    def _reported(self, now_s: float) -> tuple[Cause, ...]:
        causes = []
        if self._newest.heartbeat.age_s(now_s) > self._perception_hold_s:
            causes.append(Cause(Reason.HEARTBEAT_PERCEPTION, Severity.HOLD))
        elif (cause := reported_cause(self._newest.perception.peek())) is not None:
            causes.append(cause)
        if self.arm_fault is not None:
            causes.append(Cause(Reason.JOINTS_INVALID, Severity.STOP))
        if self._unread:
            self._unread = 0
            causes.append(Cause(Reason.UNKNOWN_INPUT, Severity.HOLD))
        return tuple(causes)

    def _on_chunk(self, message: JointTrajectory) -> None:
        self._take(self._pairing.offer_message(message))

    def _on_info(self, message: DiagnosticStatus) -> None:
        try:
            info = info_from_message(message)
        except ConfigurationError as error:
            self._unread += 1
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        self._take(self._pairing.offer_info(info))

    def _take(self, chunk: DeltaChunk | None) -> None:
        if chunk is not None:
            self._newest.chunk.put(chunk, time.monotonic())

    def _on_estop(self, message: Bool) -> None:
        self._newest.estop.put(message.data, time.monotonic())


def reported_cause(message: DiagnosticStatus | None) -> Cause | None:
    """What perception asks for: level ERROR holds, for the reason it names."""
    if message is None or message.level != ERROR:
        return None
    name = status_values(message).get('reason', '')
    reason = Reason[name] if name in Reason.__members__ else Reason.UNKNOWN_INPUT
    return Cause(reason, Severity.HOLD)
