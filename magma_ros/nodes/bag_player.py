"""Publishes what is in a bag, at its own pace. Commands stay in the bag unless they are asked for.

What is left out as a command: everything the controller, Servo or an arm obeys, by the name of
the topic in ``ros/topics.py`` or by the type of its messages. Videos are played as
the raw pictures they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from magma_ros.dataset.bag_reader import BagMessage, bag_files, read_messages, report_file
from magma_ros.dataset.bag_rewrite import is_latched
from magma_ros.dataset.image_compression import IMAGE
from magma_ros.dataset.reading.unfolded_video import VideoUnfolder
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO, VIDEO_SUFFIX, load_av
from magma_ros.errors import EnvironmentMissing, RecordingError
from magma_ros.ros import topics
from magma_ros.ros.optional_modules import load_interface

COMMAND_TOPICS = {
    topic.name
    for topic in (
        topics.INSTRUCTION,
        topics.ACTION_CHUNK,
        topics.ACTION_INFO,
        topics.ESTOP,
        topics.CONFIRMATION,
        topics.DEADMAN,
        topics.SUPERVISION,
        topics.PERCEPTION_STATE,
        topics.ARM_TRAJECTORY,
        topics.TWIST,
        topics.POSE_TARGET,
        topics.JOINT_JOG,
        *topics.TELEOP_TOPICS,
        *topics.RECORDER_TOPICS,
    )
}
COMMAND_PREFIXES = ('/magma/heartbeat/', '/magma/recorder/', '/magma/teleop/', '/servo_node/')
COMMAND_TYPES = {
    'trajectory_msgs/msg/JointTrajectory',
    'geometry_msgs/msg/Twist',
    'geometry_msgs/msg/TwistStamped',
    'control_msgs/msg/JointJog',
    'control_msgs/msg/GripperCommand',
    'sensor_msgs/msg/Joy',
    'std_msgs/msg/Float64MultiArray',  # what forward controllers of ros2_control obey
    'std_msgs/msg/Bool',
}
NEVER = ('/rosout', '/parameter_events')  # who said it is not who would say it
DISCOVERY_S = 1.0
QUEUE = 100


def is_command(topic: str, type_name: str) -> bool:
    """Whether somebody may move, stop or let go because of such a message."""
    return (
        topic in COMMAND_TOPICS or topic.startswith(COMMAND_PREFIXES) or type_name in COMMAND_TYPES
    )


@dataclass(frozen=True)
class TopicKind:
    """What a bag says about a topic."""

    type_name: str
    is_latched: bool


class BagPlayer:
    """Publishers for the topics of one bag.

    Args:
        node: publishes.
        kinds: what the bag has, by topic.
        wanted: only these; empty: all.
        allow_commands: publish commands, too.

    Raises:
        RecordingError: a wanted topic is a command or not in the bag, or somebody else publishes
            a topic now.
    """

    def __init__(
        self,
        node: Node,
        kinds: Mapping[str, TopicKind],
        wanted: Collection[str] = (),
        allow_commands: bool = False,
    ) -> None:
        unknown = sorted(set(wanted) - set(kinds))
        if unknown:
            raise RecordingError(
                f'{", ".join(unknown)} not in the bag; there are {", ".join(sorted(kinds))}'
            )
        commands = {topic for topic, kind in kinds.items() if is_command(topic, kind.type_name)}
        if commands & set(wanted) and not allow_commands:
            raise RecordingError(
                f'{", ".join(sorted(commands & set(wanted)))} may move the arm; '
                '--allow-commands plays them, where nobody is near it'
            )
        self.left_out = sorted(set() if allow_commands else commands)
        self._node = node
        self._names = [
            name
            for name in sorted(kinds)
            if name not in (*self.left_out, *NEVER) and (not wanted or name in wanted)
        ]
        self._kinds = kinds
        self._publishers: dict[str, Any] = {}
        self._videos = VideoUnfolder()
        self.unreadable: list[str] = []  # topics whose messages are not known here

    def open(self) -> None:
        """Make the publishers, so that they are found before the first message."""
        for name in self._names:
            topic, type_name = self._played_as(name)
            try:
                if self._kinds[name].type_name == COMPRESSED_VIDEO:
                    load_av()
                kind = load_interface(type_name)
            except EnvironmentMissing as error:
                self.unreadable.append(f'{name}: {error}')
                continue
            durability = (
                DurabilityPolicy.TRANSIENT_LOCAL
                if self._kinds[name].is_latched
                else DurabilityPolicy.VOLATILE
            )
            qos = QoSProfile(depth=QUEUE, durability=durability)
            self._publishers[name] = self._node.create_publisher(kind, topic, qos)

    def check_alone(self) -> None:
        """Raise RecordingError where others publish a topic: two truths on one topic."""
        played = [self._played_as(name)[0] for name in self._names]
        busy = [topic for topic in played if self._node.count_publishers(topic)]
        if busy:
            raise RecordingError(
                f'somebody publishes {", ".join(busy)} now; stop it, choose --topics, or play in '
                'another domain (ROS_DOMAIN_ID)'
            )

    def play(
        self,
        messages: Iterable[BagMessage],
        rate: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> int:
        """Publish messages at ``rate`` times their own pace; how many that were."""
        first_ns, started_s, count = None, now(), 0
        for message in messages:
            publisher = self._publishers.get(message.topic)
            data = None if publisher is None else self._played(message)
            if publisher is None or data is None:
                continue
            if first_ns is None:
                first_ns, started_s = message.log_ns, now()
            due_s = started_s + (message.log_ns - first_ns) * 1e-9 / rate
            if (wait_s := due_s - now()) > 0.0:
                sleep(wait_s)
            publisher.publish(data)
            count += 1
        return count

    def _played_as(self, name: str) -> tuple[str, str]:
        """Topic and type of what is published for a topic of the bag."""
        type_name = self._kinds[name].type_name
        if type_name == COMPRESSED_VIDEO:
            return name.removesuffix(VIDEO_SUFFIX), IMAGE
        return name, type_name

    def _played(self, message: BagMessage) -> bytes | None:
        """What is published for a message; None before the first key picture of a video."""
        if self._kinds[message.topic].type_name != COMPRESSED_VIDEO:
            return message.data
        return self._videos.unfold(message.topic, message.data)


def play_bag(
    path: Path,
    wanted: Collection[str],
    allow_commands: bool,
    rate: float,
    range_s: tuple[float, float],
    tell: Callable[[str], None],
) -> int:
    """Play a bag in a node of its own; how many messages were published.

    Args:
        path: folder or file.
        wanted: topics; empty: all but commands.
        allow_commands: those, too.
        rate: times its own pace.
        range_s: from and to, since the first message.
        tell: called with what a person should know.

    Raises:
        RecordingError: as :class:`BagPlayer`, or the bag is damaged.
    """
    kinds: dict[str, TopicKind] = {}
    for file in bag_files(path):
        summary = report_file(file).summary
        for channel in summary.channels.values():
            if channel.schema_id in summary.schemas:
                type_name = summary.schemas[channel.schema_id].name
                kinds[channel.topic] = TopicKind(type_name, is_latched(channel))
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('magma_bag_player', context=context)
    try:
        player = BagPlayer(node, kinds, wanted, allow_commands)
        if player.left_out:
            tell(f'not played, because the arm may obey: {", ".join(player.left_out)}')
        time.sleep(DISCOVERY_S)
        player.check_alone()
        player.open()
        time.sleep(DISCOVERY_S)
        for text in player.unreadable:
            tell(f'not played: {text}')
        return player.play(_in_range(path, *range_s), rate)
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def _in_range(path: Path, start_s: float, end_s: float) -> Iterable[BagMessage]:
    """The messages of a range of time, and those of latched topics before it."""
    first_ns = None
    for message in read_messages(path):
        first_ns = message.log_ns if first_ns is None else first_ns
        at_s = (message.log_ns - first_ns) * 1e-9
        if at_s > end_s:
            return
        if at_s >= start_s:
            yield message
        elif is_latched(message.channel):
            yield replace(message, log_ns=first_ns + round(start_s * 1e9))
