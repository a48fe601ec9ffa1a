"""Lets a person drive: devices in; deadman switch and action chunks out, 50 times a second.

The chunks are those a policy would send, with ``source`` teleop, and pass the same envelope in the
controller. Whether they count is decided there, by the deadman switch.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from magma_ros.data_types import ArmState, Pose
from magma_ros.errors import CameraError
from magma_ros.latest_value import LatestValue
from magma_ros.model.action_model import ModelIdentity
from magma_ros.nodes.arm_reading import FRESH_S, ArmReading
from magma_ros.nodes.teleop_devices import open_devices
from magma_ros.robot.arm_profile import load_arm_profile
from magma_ros.ros import topics
from magma_ros.ros.chunk_messages import ActionInfo, chunk_to_message, info_to_message
from magma_ros.ros.foreign_messages import ForeignMessages
from magma_ros.ros.node_process import run_node
from magma_ros.ros.parameters import declare_parameters, parameter
from magma_ros.ros.static_transforms import StaticTransforms
from magma_ros.ros.status_messages import OK, WARN, heartbeat_message, status_message
from magma_ros.ros.teleop_topics import TELEOP_STATE
from magma_ros.teleop.chunk_maker import ChunkMaker
from magma_ros.teleop.session import TeleopSession, TeleopTick

RIVAL_S = 1.0  # after a sign of life of another teleop_node
HEARTBEAT_TICKS = 5


@dataclass(frozen=True)
class TeleopParameters:
    """What a device does is in its file under config/teleop/."""

    arm: str = parameter('wx250s', 'arm profile, a file of config/arms')
    devices: str = parameter('keyboard', 'files of config/teleop, or paths of yours; commas')
    recording: str = parameter('', 'bag folder of the episode that the device replay repeats')
    camera_frame: str = parameter(
        'camera_color_optical_frame', 'whose axes the frame camera means; from /tf_static'
    )
    rate_hz: float = parameter(
        50.0, 'of gestures; the controller takes one each tick', 'Hz', 20, 100
    )


class TeleopNode(Node):
    """See the tables in ``ros/topics.py`` and ``ros/teleop_topics.py`` for its topics."""

    def __init__(self) -> None:
        super().__init__('teleop_node', automatically_declare_parameters_from_overrides=True)
        self._wanted = declare_parameters(self, TeleopParameters)
        profile = load_arm_profile(self._wanted.arm)
        self._base_link, self._arm = profile.base_link, ArmReading(profile)
        self._joints: LatestValue[JointState] = LatestValue()
        self._transforms = StaticTransforms()
        topics.JOINT_STATES.subscribe(self, lambda m: self._joints.put(m, time.monotonic()))
        topics.STATIC_TRANSFORMS.subscribe(self, self._transforms.add)
        self._deadman = topics.DEADMAN.publisher(self)
        self._chunks = topics.ACTION_CHUNK.publisher(self)
        self._infos = topics.ACTION_INFO.publisher(self)
        self._states = TELEOP_STATE.publisher(self)
        heartbeat = topics.heartbeat_topic(self.get_name())
        self._heartbeat = heartbeat.publisher(self)
        self._rivals = ForeignMessages(self, heartbeat, lambda m: m)
        names = [name.strip() for name in self._wanted.devices.split(',') if name.strip()]
        opened = open_devices(names, self, profile, self._wanted.recording)
        self._files = opened.files
        holds = {name: file.settings.longest_hold_s for name, file in opened.files.items()}
        period_s = 1.0 / self._wanted.rate_hz
        self._session = TeleopSession(opened.devices, holds, ChunkMaker(self._base_link, period_s))
        self._ticks, self._shown = 0, ''
        self.create_timer(period_s, self._on_period)

    @property
    def has_failed(self) -> bool:
        """Nothing runs beside the executor; an exception there ends the process."""
        return False

    def close(self) -> None:
        """Let go of the switch, and give the devices back."""
        self._deadman.publish(Bool(data=False))
        self._session.close()

    def _on_period(self) -> None:
        now_s, now_ns = time.monotonic(), self.get_clock().now().nanoseconds
        is_alone = self._rivals.age_s(now_s) > RIVAL_S
        tick = self._session.tick(self._measured(now_s), self._camera(), now_s, now_ns, is_alone)
        self._deadman.publish(Bool(data=tick.owner is not None))
        if tick.owner is not None and tick.chunk is not None:
            self._send(tick, now_ns)
        self._show(tick, is_alone)
        self._ticks += 1
        if self._ticks % HEARTBEAT_TICKS == 0:
            self._rivals.sent(now_ns)
            self._heartbeat.publish(heartbeat_message(self.get_name(), now_ns))

    def _measured(self, now_s: float) -> ArmState | None:
        age_s = self._joints.age_s(now_s)
        state = self._arm.take(self._joints.peek(), age_s, now_s)
        return None if age_s > FRESH_S or self._arm.fault is not None else state

    def _camera(self) -> Pose | None:
        try:
            return self._transforms.pose(self._wanted.camera_frame, self._base_link)
        except CameraError:  # devices that use its axes say that they are unknown
            return None

    def _send(self, tick: TeleopTick, now_ns: int) -> None:
        chunk, file = tick.chunk, self._files[tick.owner or '']
        assert chunk is not None
        driver = ModelIdentity(file.name, file.sha256)
        self._chunks.publish(chunk_to_message(chunk))
        self._infos.publish(
            info_to_message(
                ActionInfo(
                    chunk.image_stamp_ns,
                    chunk.sequence,
                    chunk.source,
                    chunk.reference,
                    driver,
                    now_ns,
                    now_ns,
                )
            )
        )

    def _show(self, tick: TeleopTick, is_alone: bool) -> None:
        """Say what has changed, on the topic and in the log."""
        faults = dict(tick.faults)
        if not is_alone:
            faults['teleop_node'] = 'another teleop_node is alive: end one of them'
        text = '; '.join(
            [f'{tick.owner or "nobody"} steers', *(f'{k}: {v}' for k, v in faults.items())]
        )
        if text == self._shown:
            return
        self._shown = text
        values = {'owner': tick.owner or '', 'devices': ' '.join(self._files), **faults}
        self._states.publish(status_message('teleop', text, values, WARN if faults else OK))
        self.get_logger().info(text, throttle_duration_sec=0.2)


def main() -> int:
    """Drive by hand until SIGINT or SIGTERM."""
    return run_node(TeleopNode)


if __name__ == '__main__':
    sys.exit(main())
