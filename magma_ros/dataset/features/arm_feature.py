"""Recorded joint states -> the state of the arm at a picture, as perception finds it."""

from __future__ import annotations

from collections import deque

from magma_ros.data_types import ArmState
from magma_ros.dataset.reading.ros_decoding import decode, header_stamp_ns
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import ArmError, RecordingError
from magma_ros.robot.arm_profile import ArmProfile
from magma_ros.robot.joint_reading import HISTORY_S, nearest_stamp, read_arm_state

JOINT_STATE = 'sensor_msgs/msg/JointState'


class ArmHistory:
    """The last second of joint states, decoded only where one is asked for."""

    def __init__(self, profile: ArmProfile) -> None:
        self._profile, self._kinematics = profile, profile.kinematics()
        self._messages: deque[tuple[int, StreamMessage]] = deque()

    def add(self, message: StreamMessage) -> None:
        """Take up a joint state.

        Raises:
            RecordingError: it is something else.
        """
        if message.type_name != JOINT_STATE:
            raise RecordingError(
                f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}, not '
                f'{JOINT_STATE}: correct the mapping'
            )
        stamp_ns = header_stamp_ns(message)
        self._messages.append((stamp_ns, message))
        oldest_ns = stamp_ns - int(HISTORY_S * 1e9)
        while self._messages[0][0] < oldest_ns:
            self._messages.popleft()

    def at(self, stamp_ns: int) -> ArmState:
        """The state nearest to a stamp, among those that have arrived.

        Raises:
            ArmError: there is none near it, or it is of another arm.
            RecordingError: damaged.
        """
        index = nearest_stamp([stamp for stamp, _ in self._messages], stamp_ns)
        stamp, message = self._messages[index]
        content = decode(message)
        try:
            return read_arm_state(
                content.name,
                content.position,
                content.velocity,
                stamp,
                self._profile,
                self._kinematics,
            )
        except ArmError as error:
            raise RecordingError(f'{message.where}: {error}') from error
