"""Playing a bag: everything but what an arm obeys."""

from __future__ import annotations

import array
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.dataset.bag_reader import read_messages  # noqa: E402
from magma_ros.dataset.episode_writer import EpisodeWriter  # noqa: E402
from magma_ros.dataset.image_compression import IMAGE  # noqa: E402
from magma_ros.dataset.picture_conversion import (  # noqa: E402
    PictureConverter,
    PictureSettings,
)
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic  # noqa: E402
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO  # noqa: E402
from magma_ros.errors import RecordingError  # noqa: E402
from magma_ros.nodes.bag_player import BagPlayer, TopicKind, is_command  # noqa: E402
from magma_ros.nodes.described_topics import describe_topic  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.time_stamps import stamp_from_ns, stamp_to_ns  # noqa: E402
from magma_ros.ros.topic_kinds import COMMANDS  # noqa: E402

KINDS = {
    '/chatter': TopicKind('std_msgs/msg/String', False),
    '/magma/action_chunk': TopicKind('trajectory_msgs/msg/JointTrajectory', False),
    '/servo_node/delta_twist_cmds': TopicKind('geometry_msgs/msg/TwistStamped', False),
    '/foreign_arm/commands': TopicKind('std_msgs/msg/Float64MultiArray', False),
    '/camera/camera/color/image_raw': TopicKind('sensor_msgs/msg/Image', False),
    '/vendor': TopicKind('vendor_msgs/msg/Unknown', False),
}


def nobody() -> Any:
    """A node in an empty domain that notes what is published."""
    published: list[tuple[str, bytes]] = []

    def create_publisher(kind: type, name: str, qos: object) -> Any:
        return SimpleNamespace(publish=lambda data: published.append((name, data)))

    return SimpleNamespace(
        create_publisher=create_publisher, count_publishers=lambda name: 0, published=published
    )


def test_commands_stay_in_the_bag() -> None:
    player = BagPlayer(nobody(), KINDS)
    assert player.left_out == [
        '/foreign_arm/commands',
        '/magma/action_chunk',
        '/servo_node/delta_twist_cmds',
    ]
    player.open()
    assert sorted(player._publishers) == ['/camera/camera/color/image_raw', '/chatter']
    assert player.unreadable[0].startswith('/vendor: vendor_msgs/msg/Unknown needs vendor_msgs')


def test_a_command_by_name_is_refused_unless_it_is_allowed() -> None:
    with pytest.raises(RecordingError, match='/magma/action_chunk may move the arm'):
        BagPlayer(nobody(), KINDS, ['/magma/action_chunk'])
    assert BagPlayer(nobody(), KINDS, ['/magma/action_chunk'], allow_commands=True).left_out == []


def test_an_unknown_topic_is_named() -> None:
    with pytest.raises(RecordingError, match='/nothing not in the bag; there are /camera'):
        BagPlayer(nobody(), KINDS, ['/nothing'])


@pytest.mark.parametrize(
    'topic',
    [
        topics.ACTION_CHUNK,
        topics.TWIST,
        topics.POSE_TARGET,
        topics.JOINT_JOG,
        topics.ARM_TRAJECTORY,
        topics.ESTOP,
        topics.CONFIRMATION,
        topics.DEADMAN,
        topics.SUPERVISION,
        topics.heartbeat_topic('controller_node'),
        *topics.TELEOP_TOPICS,
    ],
    ids=lambda topic: topic.name,
)
def test_whatever_the_controller_obeys_is_a_command(topic: topics.Topic) -> None:
    assert is_command(topic.name, 'any_msgs/msg/Any')


def test_two_truths_on_one_topic_are_refused() -> None:
    node = nobody()
    node.count_publishers = lambda name: int(name == '/chatter')
    with pytest.raises(RecordingError, match='somebody publishes /chatter now'):
        BagPlayer(node, KINDS).check_alone()


def test_the_pace_is_that_of_the_bag(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / 'bag') as writer:
        writer.add_topic(describe_topic('/chatter', String, COMMANDS))
        for index in range(5):
            writer.write(Arrival('/chatter', b'%d' % index, 10**18 + index * 10**9, 0))
    clock_s, slept = 50.0, []

    def sleep(seconds: float) -> None:
        nonlocal clock_s
        slept.append(round(seconds, 6))
        clock_s += seconds

    node = nobody()
    player = BagPlayer(node, {'/chatter': KINDS['/chatter']})
    player.open()
    assert player.play(read_messages(tmp_path / 'bag'), 2.0, sleep, lambda: clock_s) == 5
    assert slept == [0.5] * 4
    assert node.published == [('/chatter', b'%d' % index) for index in range(5)]


@pytest.mark.ros
def test_serialised_messages_arrive_as_they_were(domain_id: int) -> None:
    context = Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('player_test', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    heard: list[str] = []
    node.create_subscription(String, '/chatter', lambda m: heard.append(m.data), 10)
    player = BagPlayer(node, {'/chatter': KINDS['/chatter']})
    player.open()
    for _ in range(200):
        if heard:
            break
        player._publishers['/chatter'].publish(serialize_message(String(data='as it was')))
        executor.spin_once(0.05)
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)
    assert heard[0] == 'as it was'


def test_a_video_is_played_as_the_pictures_it_was(tmp_path: Path) -> None:
    pytest.importorskip('av')
    name = '/camera/camera/color/image_raw'
    kinds = {f'{name}/video': TopicKind(COMPRESSED_VIDEO, False)}
    topic = RecordedTopic(name, IMAGE, 'x', '', '')
    converter = PictureConverter(PictureSettings('video'), {name: (topic, topic)})
    with EpisodeWriter(tmp_path / 'bag') as writer:
        for index in range(3):
            pixels = array.array('B', bytes([40 * index]) * (48 * 64 * 3))
            picture = Image(height=48, width=64, step=192, encoding='rgb8', data=pixels)
            picture.header.stamp = stamp_from_ns(10**9 + index)
            raw = Arrival(name, serialize_message(picture), index + 1, index + 1)
            stored, message = converter.convert(raw)
            writer.add_topic(stored)  # type: ignore[arg-type]
            writer.write(message)  # type: ignore[arg-type]
    node = nobody()
    player = BagPlayer(node, kinds)
    player.check_alone()
    player.open()
    assert player.play(read_messages(tmp_path / 'bag'), 1e6) == 3
    found = [(topic, deserialize_message(data, Image)) for topic, data in node.published]
    assert [topic for topic, _ in found] == [name] * 3
    assert [stamp_to_ns(message.header.stamp) for _, message in found] == [
        10**9 + n for n in range(3)
    ]
    for index, (_, message) in enumerate(found):
        assert (message.height, message.width, message.encoding) == (48, 64, 'rgb8')
        assert abs(int(message.data[100]) - 40 * index) < 4


def test_a_video_without_its_library_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'av', None)
    player = BagPlayer(nobody(), {'/c/video': TopicKind(COMPRESSED_VIDEO, False)})
    player.open()
    assert player.unreadable[0].startswith('/c/video: video needs PyAV')
