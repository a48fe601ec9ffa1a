from __future__ import annotations

import array
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
rosbags_reader = pytest.importorskip('rosbags.highlevel')
mcap_ros2 = pytest.importorskip('mcap_ros2.reader')

from mcap.reader import make_reader  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from rosbags.interfaces import QosDurability, QosReliability  # noqa: E402
from sensor_msgs.msg import CompressedImage, JointState  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.bag_writer import BagWriter  # noqa: E402
from magma_ros.ros.message_definitions import definition_of, hash_of, type_name  # noqa: E402
from magma_ros.ros.time_stamps import stamp_from_ns  # noqa: E402
from magma_ros.ros.topic_recorder import RECORDED, TopicRecorder  # noqa: E402

START_NS = 1_700_000_000_000_000_000
WRITTEN = (topics.INSTRUCTION, topics.JOINT_STATES, topics.OVERLAY)


def joint_state(stamp_ns: int) -> JointState:
    # Without effort serialize_message() leaves four bytes too many; what DDS delivers is right.
    message = JointState(
        name=['waist', 'shoulder'], position=[0.25, -1.5], velocity=[0.0, 1e-6], effort=[0.0, 0.5]
    )
    message.header.stamp = stamp_from_ns(stamp_ns)
    message.header.frame_id = 'wx250s/base_link'
    return message


def overlay() -> CompressedImage:
    return CompressedImage(format='jpeg', data=array.array('B', range(256)))


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    directory = tmp_path / 'episode'
    with BagWriter(directory, WRITTEN) as writer:
        writer.write(topics.INSTRUCTION, serialize_message(String(data='reach it')), START_NS)
        for index in range(3):
            time_ns = START_NS + index * 10_000_000
            writer.write(topics.JOINT_STATES, serialize_message(joint_state(time_ns)), time_ns)
        writer.write(topics.OVERLAY, serialize_message(overlay()), START_NS + 30_000_000)
    return directory


def test_rosbags_opens_the_folder_and_gives_equal_messages(bag: Path) -> None:
    with rosbags_reader.AnyReader([bag]) as reader:
        assert {c.topic: (c.msgtype, c.msgcount) for c in reader.connections} == {
            '/magma/instruction': ('std_msgs/msg/String', 1),
            '/wx250s/joint_states': ('sensor_msgs/msg/JointState', 3),
            '/magma/overlay/compressed': ('sensor_msgs/msg/CompressedImage', 1),
        }
        assert reader.duration == 30_000_001  # the end is exclusive
        found = [
            (connection.topic, time_ns, reader.deserialize(raw, connection.msgtype))
            for connection, time_ns, raw in reader.messages()
        ]
    assert found[0][1:2] == (START_NS,)
    assert found[0][2].data == 'reach it'
    states = [message for topic, _, message in found if topic == '/wx250s/joint_states']
    assert [state.header.stamp.nanosec for state in states] == [0, 10_000_000, 20_000_000]
    assert states[0].name == ['waist', 'shoulder']
    assert states[0].position.tolist() == [0.25, -1.5]
    assert found[-1][2].data.tobytes() == bytes(range(256))


def test_metadata_keeps_the_quality_of_service(bag: Path) -> None:
    with rosbags_reader.AnyReader([bag]) as reader:
        profiles = {c.topic: c.ext.offered_qos_profiles[0] for c in reader.connections}
    latched = profiles['/magma/instruction']
    assert latched.durability is QosDurability.TRANSIENT_LOCAL
    assert latched.reliability is QosReliability.RELIABLE
    assert profiles['/wx250s/joint_states'].durability is QosDurability.VOLATILE
    assert profiles['/wx250s/joint_states'].depth == 5


def test_the_file_alone_explains_itself(bag: Path) -> None:
    file = bag / 'episode_0.mcap'
    with file.open('rb') as stream:
        reader = make_reader(stream)
        header, summary = reader.get_header(), reader.get_summary()
        names = [metadata.name for metadata in reader.iter_metadata()]
    assert header.profile == 'ros2'
    assert names == ['rosbag2']
    assert {schema.encoding for schema in summary.schemas.values()} == {'ros2msg'}
    assert all(
        channel.metadata['topic_type_hash'].startswith('RIHS01_')
        for channel in summary.channels.values()
    )
    decoded = [one.ros_msg for one in mcap_ros2.read_ros2_messages(str(file))]
    assert decoded[1].position == [0.25, -1.5]
    assert decoded[1].header.frame_id == 'wx250s/base_link'


def test_a_clock_set_back_does_not_spoil_the_order(tmp_path: Path) -> None:
    directory = tmp_path / 'bag'
    with BagWriter(directory, WRITTEN) as writer:
        for time_ns in (START_NS, START_NS + 5, START_NS + 2, START_NS + 9):
            writer.write(topics.INSTRUCTION, serialize_message(String()), time_ns)
        assert writer.message_count == 4
    with rosbags_reader.AnyReader([directory]) as reader:
        times = [time_ns - START_NS for _, time_ns, _ in reader.messages()]
    assert times == [0, 5, 5, 9]


def test_nothing_is_overwritten(bag: Path) -> None:
    before = (bag / 'metadata.yaml').read_bytes()
    with pytest.raises(ConfigurationError, match='exists already; give another folder'):
        BagWriter(bag, WRITTEN)
    assert (bag / 'metadata.yaml').read_bytes() == before


def test_closing_again_changes_nothing(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / 'bag', WRITTEN)
    writer.close()
    size = (tmp_path / 'bag' / 'bag_0.mcap').stat().st_size
    writer.close()
    assert (tmp_path / 'bag' / 'bag_0.mcap').stat().st_size == size


@pytest.mark.parametrize('topic', topics.TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_a_definition_and_a_hash(topic: topics.Topic) -> None:
    from rosbags.typesys import get_types_from_msg

    types = get_types_from_msg(definition_of(topic.kind), type_name(topic.kind))
    assert type_name(topic.kind) in types
    assert hash_of(topic.kind).startswith('RIHS01_')


def test_a_known_hash() -> None:
    # ros2 topic info -v of Iron and later.
    expected = 'RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18'
    assert hash_of(String) == expected


def test_raw_pictures_are_left_out() -> None:
    names = {topic.name for topic in RECORDED}
    assert '/camera/camera/color/image_raw' not in names
    assert '/magma/overlay/compressed' in names
    assert len(names) == len(topics.TOPICS) - 2


@pytest.mark.ros
def test_what_is_sent_is_in_the_bag(tmp_path: Path, domain_id: int) -> None:
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor

    context = Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('recorder_test', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    topics.INSTRUCTION.publisher(node).publish(String(data='said before'))
    states = topics.JOINT_STATES.publisher(node)
    with BagWriter(tmp_path / 'bag', RECORDED) as writer:
        recorder = TopicRecorder(node, writer)
        for index in range(200):
            if writer.message_count >= 6:
                break
            states.publish(joint_state(index))
            executor.spin_once(0.05)
        recorder.stop()
        count = writer.message_count
        states.publish(joint_state(0))
        executor.spin_once(0.1)
        assert writer.message_count == count
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)

    with rosbags_reader.AnyReader([tmp_path / 'bag']) as reader:
        messages = {
            connection.topic: reader.deserialize(raw, connection.msgtype)
            for connection, _, raw in reader.messages()
        }
    assert messages['/magma/instruction'].data == 'said before'
    assert messages['/wx250s/joint_states'].position.tolist() == [0.25, -1.5]
