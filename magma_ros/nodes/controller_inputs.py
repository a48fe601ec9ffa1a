"""What the controller hears: chunks, joints, other nodes, the operator; and how old it all is."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Header, String
from trajectory_msgs.msg import JointTrajectory

from magma_ros.data_types import DeltaChunk
from magma_ros.errors import ConfigurationError
from magma_ros.latest_value import LatestValue
from magma_ros.motion.causes import Cause, Severity, reported_cause
from magma_ros.motion.chunk_check import is_teleop
from magma_ros.motion.clock_watch import ClockWatch
from magma_ros.motion.confirmation import Confirmation
from magma_ros.motion.deadman import DeadmanSwitch
from magma_ros.motion.reason_codes import Reason
from magma_ros.motion.supervision import ESTOP_PRESS_S, read_causes
from magma_ros.nodes.arm_reading import ArmReading
from magma_ros.nodes.control_tick import Inputs
from magma_ros.nodes.controller_parameters import ControllerParameters
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.ros import topics
from magma_ros.ros.chunk_messages import ChunkPairing, info_from_message
from magma_ros.ros.foreign_messages import ForeignMessages
from magma_ros.ros.recorder_topics import RECORDER_STATE
from magma_ros.ros.status_messages import ERROR, WARN, status_values
from magma_ros.ros.time_stamps import stamp_to_ns
from magma_ros.ros.topic_kinds import Topic

CONFLICT_S = 1.0  # after the last command of somebody else
CLOCK_S = 1.0  # after a jump
RECORDER_S = 3.0  # it speaks every second
UNREAD_S = 1.0  # after a message that could not be understood


@dataclass(frozen=True)
class _Newest:
    """Mailboxes, written by callbacks and read by the control loop."""

    joints: LatestValue[JointState]
    chunk: LatestValue[DeltaChunk]
    teleop_chunk: LatestValue[DeltaChunk]
    estop: LatestValue[bool]
    perception: LatestValue[DiagnosticStatus]
    perception_heartbeat: LatestValue[Header]
    supervision: LatestValue[DiagnosticStatus]
    recorder: LatestValue[DiagnosticStatus]


class ControllerInputs:
    """Subscribes. :meth:`read` takes nothing away: any thread may call it, as often as it likes.

    Args:
        node: subscribes.
        profile: of the arm.
        wanted: which sources are watched.
    """

    def __init__(self, node: Node, profile: ArmProfile, wanted: ControllerParameters) -> None:
        self._node, self._wanted = node, wanted
        self._newest = _Newest(*(LatestValue() for _ in range(8)))
        self._pairing = ChunkPairing()
        self._reading = threading.Lock()
        self._unread_s = -math.inf  # when a message could last not be understood
        self._deadman = DeadmanSwitch()
        self.confirmation = Confirmation()
        self.clock = ClockWatch()
        self.arm = ArmReading(profile)
        self.failed_checks: tuple[str, ...] = ('not looked at yet',)  # of arming
        self.servo_cause: Cause | None = None  # what is wrong with Servo
        self.armed_model: str | None = None  # hash of the model that was armed with
        self.joints_skew_s = 0.0  # between the stamp of the newest joint states and their arrival
        newest = self._newest
        for topic, mailbox in (
            (topics.JOINT_STATES, newest.joints),
            (topics.PERCEPTION_STATE, newest.perception),
            (topics.heartbeat_topic('perception_node'), newest.perception_heartbeat),
            (topics.SUPERVISION, newest.supervision),
            (RECORDER_STATE, newest.recorder),
        ):
            self._keep(topic, mailbox)
        self._estop_pressed_s = -math.inf
        topics.ESTOP.subscribe(node, self._on_estop)
        topics.DEADMAN.subscribe(node, self._on_deadman)
        topics.CONFIRMATION.subscribe(node, self._on_confirmation)
        topics.ACTION_CHUNK.subscribe(node, self._on_chunk)
        topics.ACTION_INFO.subscribe(node, self._on_info)
        self.foreign_twists = ForeignMessages(node, topics.TWIST, lambda m: m.header)
        self.foreign_heartbeats = ForeignMessages(
            node, topics.heartbeat_topic(node.get_name()), lambda m: m
        )

    def _on_estop(self, message: Bool) -> None:
        now_s = time.monotonic()
        if not message.data:
            self._estop_pressed_s = now_s
        self._newest.estop.put(message.data, now_s)

    @property
    def perception(self) -> DiagnosticStatus | None:
        """What perception said last."""
        return self._newest.perception.peek()

    @property
    def is_estop_released(self) -> bool:
        """Whether the emergency stop was heard last, and not pressed."""
        return self._newest.estop.peek() is True

    def has_rival(self, now_s: float) -> bool:
        """Whether somebody else commands Servo, or another controller is alive."""
        heard = (self.foreign_twists, self.foreign_heartbeats)
        return min(one.age_s(now_s) for one in heard) < CONFLICT_S

    @property
    def model_sha256(self) -> str | None:
        """Of the model perception has loaded; None while it does not say."""
        perception = self.perception
        return None if perception is None else status_values(perception).get('model_sha256')

    def note_clock(self, now_s: float, now_ns: int) -> None:
        """Compare the monotonic with the ROS clock; only the control thread does, in each tick."""
        if self.clock.note(now_s, now_ns):
            self._node.get_logger().error('the ROS clock jumped; the arm holds')

    def read(self, now_s: float, now_ns: int) -> Inputs:
        """Everything as it is now, on the monotonic and on the ROS clock."""
        with self._reading:
            newest, wanted = self._newest, self._wanted
            estop = newest.estop.peek()
            joints_age_s = self._joints_age_s(now_s, now_ns)
            return Inputs(
                self.arm.take(newest.joints.peek(), joints_age_s, now_s),
                joints_age_s,
                newest.chunk.peek(),
                newest.teleop_chunk.peek(),
                newest.perception_heartbeat.age_s(now_s) if wanted.require_perception else None,
                newest.supervision.age_s(now_s) if wanted.require_supervisor else None,
                # Once heard its silence counts, required or not.
                newest.estop.age_s(now_s) if wanted.require_estop or estop is not None else None,
                estop is False or now_s - self._estop_pressed_s < ESTOP_PRESS_S,
                self._deadman.age_s(now_s),
                self._deadman.held_s(now_s),
                self.confirmation,
                self._reported(now_s),
                self.failed_checks,
                self.clock.jumped_s,
            )

    def _joints_age_s(self, now_s: float, now_ns: int) -> float:
        """Two ages count, and a stamp of the future is as bad as an old one."""
        message, age_s = self._newest.joints.peek(), self._newest.joints.age_s(now_s)
        jumped_s = self.clock.jumped_s
        if message is None or (jumped_s is not None and now_s - age_s <= jumped_s):
            return age_s
        stamp_age_s = (now_ns - stamp_to_ns(message.header.stamp)) * 1e-9
        self.joints_skew_s = stamp_age_s - age_s
        return max(age_s, abs(stamp_age_s))

    def _reported(self, now_s: float) -> tuple[Cause, ...]:
        armed, present = self.armed_model, self.model_sha256
        causes = list(asked_causes(self.perception))
        supervision = self._newest.supervision.peek()
        if supervision is not None:
            causes += read_causes(status_values(supervision).get('demands', ''))
        if self._newest.recorder.age_s(now_s) < RECORDER_S:  # one that has ended asks for nothing
            causes += asked_causes(self._newest.recorder.peek())
        if self.arm.fault is not None:
            causes.append(Cause(Reason.JOINTS_INVALID, Severity.STOP))
        if self.servo_cause is not None:
            causes.append(self.servo_cause)
        if None not in (armed, present) and armed != present:
            causes.append(Cause(Reason.MODEL_HASH, Severity.HOLD))
        if now_s - self._unread_s < UNREAD_S:
            causes.append(Cause(Reason.UNKNOWN_INPUT, Severity.HOLD))
        if self.has_rival(now_s):
            causes.append(Cause(Reason.PUBLISHER_CONFLICT, Severity.HOLD))
        if self.clock.jumped_s is not None and now_s - self.clock.jumped_s < CLOCK_S:
            simulated = self._wanted.simulated  # on hardware the arm must be armed again
            causes.append(Cause(Reason.CLOCK_JUMP, Severity.HOLD if simulated else Severity.STOP))
        return tuple(causes)

    def _keep(self, topic: Topic, mailbox: LatestValue[Any]) -> None:
        topic.subscribe(self._node, lambda m: mailbox.put(m, time.monotonic()))

    def _on_chunk(self, message: JointTrajectory) -> None:
        self._take(self._pairing.offer_message(message))

    def _on_info(self, message: DiagnosticStatus) -> None:
        try:
            info = info_from_message(message)
        except ConfigurationError as error:
            self._unread_s = time.monotonic()
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        self._take(self._pairing.offer_info(info))

    def _take(self, chunk: DeltaChunk | None) -> None:
        if chunk is not None:
            newest = self._newest
            mailbox = newest.teleop_chunk if is_teleop(chunk) else newest.chunk
            mailbox.put(chunk, time.monotonic())

    def _on_deadman(self, message: Bool) -> None:
        self._deadman = self._deadman.hear(message.data, time.monotonic())

    def _on_confirmation(self, message: String) -> None:
        self.confirmation = self.confirmation.hear(message.data, time.monotonic())


def asked_causes(message: DiagnosticStatus | None) -> tuple[Cause, ...]:
    """What perception or the recorder asks for by the reason it names: ERROR holds, WARN slows.

    They have no right to demand more than HOLD.
    """
    if message is None or message.level not in (WARN, ERROR):
        return ()
    name = status_values(message).get('reason', '')
    if message.level == WARN:
        degraded = Severity.DEGRADED
        return (reported_cause(name, degraded, degraded),) if name else ()
    return (reported_cause(name, Severity.HOLD),)
