"""MoveIt Servo of Jazzy and later, and our stand-in: twist and pose mode.

Numbers of ServoStatus and ServoCommandType, whose classes Humble does not have.
"""

from __future__ import annotations

from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import SetBool

from magma_ros.data_types import Pose
from magma_ros.ros.arm_messages import pose_to_message
from magma_ros.ros.pose_steps import PoseSteps
from magma_ros.ros.servo_client import CommandMode, NoteStamp, ignore_stamp
from magma_ros.ros.servo_stream import PERIOD_S, ServoState, ServoStream, Step
from magma_ros.ros.topics import PAUSE_SERVO, POSE_TARGET, SERVO_STATUS, SWITCH_COMMAND_TYPE

STATUS_NAMES = {
    -1: 'INVALID',
    0: 'NO_WARNING',
    1: 'DECELERATE_FOR_APPROACHING_SINGULARITY',
    2: 'HALT_FOR_SINGULARITY',
    3: 'DECELERATE_FOR_LEAVING_SINGULARITY',
    4: 'DECELERATE_FOR_COLLISION',
    5: 'HALT_FOR_COLLISION',
    6: 'JOINT_BOUND',
}
COMMAND_TYPES = {CommandMode.TWIST: 1, CommandMode.POSE: 2}


class JazzyServo(ServoStream):
    """Before the first switch of the command type this Servo drops every command."""

    def __init__(self, node: Node, base_link: str, note_stamp: NoteStamp = ignore_stamp) -> None:
        super().__init__(node, base_link, note_stamp)
        self._poses = POSE_TARGET.publisher(node)
        self._pose_steps = PoseSteps(PERIOD_S)
        self._switch: Client = node.create_client(
            SWITCH_COMMAND_TYPE.kind, SWITCH_COMMAND_TYPE.name
        )
        self._pause: Client = node.create_client(SetBool, PAUSE_SERVO.name)
        SERVO_STATUS.subscribe(node, self._on_status)

    def send_pose(self, goal: Pose, measured: Pose, stamp_ns: int) -> None:
        """Publish the next step towards the pose."""
        if self._may_send and self._wanted.mode is CommandMode.POSE:
            pose = self._pose_steps.next(goal, measured)
            self._poses.publish(pose_to_message(pose, stamp_ns, self._base_link))

    def _is_there(self) -> bool:
        return self._switch.service_is_ready() and self._pause.service_is_ready()

    def _steps_to(self, state: ServoState) -> list[Step]:
        self._pose_steps.forget()
        switch = SWITCH_COMMAND_TYPE.kind.Request(command_type=COMMAND_TYPES[state.mode])
        return [
            lambda: self._switch.call_async(switch),
            lambda: self._pause.call_async(SetBool.Request(data=state.is_paused)),
        ]

    def _send_rest(self, mode: CommandMode, stamp_ns: int) -> None:
        pose = self._pose_steps.last
        if mode is CommandMode.TWIST:
            super()._send_rest(mode, stamp_ns)
        elif pose is not None:
            self._poses.publish(pose_to_message(pose, stamp_ns, self._base_link))

    def _on_status(self, message: Any) -> None:
        self._note_status(STATUS_NAMES.get(message.code, f'UNKNOWN_{message.code}'))
