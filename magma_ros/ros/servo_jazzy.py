"""MoveIt Servo of Jazzy and later, and our stand-in: twist and pose mode."""

from __future__ import annotations

from moveit_msgs.msg import ServoStatus
from moveit_msgs.srv import ServoCommandType
from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import SetBool

from magma_ros.data_types import Pose
from magma_ros.ros.arm_messages import pose_to_message
from magma_ros.ros.pose_steps import PoseSteps
from magma_ros.ros.servo_client import CommandMode
from magma_ros.ros.servo_stream import PERIOD_S, ServoState, ServoStream, Step
from magma_ros.ros.topics import PAUSE_SERVO, POSE_TARGET, SERVO_STATUS, SWITCH_COMMAND_TYPE

STATUS_NAMES = {
    getattr(ServoStatus, name): name
    for name in (
        'INVALID',
        'NO_WARNING',
        'DECELERATE_FOR_APPROACHING_SINGULARITY',
        'HALT_FOR_SINGULARITY',
        'DECELERATE_FOR_LEAVING_SINGULARITY',
        'DECELERATE_FOR_COLLISION',
        'HALT_FOR_COLLISION',
        'JOINT_BOUND',
    )
}
COMMAND_TYPES = {
    CommandMode.TWIST: ServoCommandType.Request.TWIST,
    CommandMode.POSE: ServoCommandType.Request.POSE,
}


class JazzyServo(ServoStream):
    """Before the first switch of the command type this Servo drops every command."""

    def __init__(self, node: Node, base_link: str) -> None:
        super().__init__(node, base_link)
        self._poses = POSE_TARGET.publisher(node)
        self._pose_steps = PoseSteps(PERIOD_S)
        self._switch: Client = node.create_client(ServoCommandType, SWITCH_COMMAND_TYPE.name)
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
        number = COMMAND_TYPES[state.mode]
        return [
            lambda: self._switch.call_async(ServoCommandType.Request(command_type=number)),
            lambda: self._pause.call_async(SetBool.Request(data=state.is_paused)),
        ]

    def _send_rest(self, mode: CommandMode, stamp_ns: int) -> None:
        pose = self._pose_steps.last
        if mode is CommandMode.TWIST:
            super()._send_rest(mode, stamp_ns)
        elif pose is not None:
            self._poses.publish(pose_to_message(pose, stamp_ns, self._base_link))

    def _on_status(self, message: ServoStatus) -> None:
        self._status_name = STATUS_NAMES.get(message.code, f'UNKNOWN_{message.code}')
