"""The bag of the demo: what is said in a domain, without the recorder node."""

from __future__ import annotations

import array
from pathlib import Path

import pytest

rclpy = pytest.importorskip('rclpy')
rosbags_reader = pytest.importorskip('rosbags.highlevel')

from rclpy.context import Context  # noqa: E402
from rosbags.interfaces import QosDurability  # noqa: E402
from sensor_msgs.msg import CompressedImage, JointState  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.nodes.episode_bag import RECORDED, EpisodeBag  # noqa: E402
from magma_ros.ros import topics  # noqa: E402

COUNT = 50


def test_raw_pictures_are_left_out() -> None:
    assert '/camera/camera/color/image_raw' not in RECORDED
    assert '/magma/overlay/compressed' in RECORDED
    assert len(RECORDED) == len(topics.TOPICS) - 2


@pytest.mark.ros
def test_what_is_sent_is_in_the_bag(tmp_path: Path, domain_id: int) -> None:
    context = Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node('recorder_test', context=context)
    topics.INSTRUCTION.publisher(node).publish(String(data='said before'))
    states, overlays = topics.JOINT_STATES.publisher(node), topics.OVERLAY.publisher(node)
    bag = EpisodeBag(node, tmp_path / 'bag')
    while not (states.get_subscription_count() and overlays.get_subscription_count()):
        bag.record()
    for index in range(COUNT):
        states.publish(JointState(name=['waist'], position=[float(index)], effort=[0.5]))
    overlays.publish(CompressedImage(format='jpeg', data=array.array('B', range(256))))
    while bag.message_count < COUNT + 2:
        bag.record()
    bag.close()
    node.destroy_node()
    rclpy.shutdown(context=context)

    with rosbags_reader.AnyReader([tmp_path / 'bag']) as reader:
        profiles = {c.topic: c.ext.offered_qos_profiles[0] for c in reader.connections}
        found = [(c.topic, reader.deserialize(raw, c.msgtype)) for c, _, raw in reader.messages()]
    assert profiles['/magma/instruction'].durability is QosDurability.TRANSIENT_LOCAL
    assert profiles['/wx250s/joint_states'].depth == 5  # as it was offered
    by_topic = dict(found)
    assert by_topic['/magma/instruction'].data == 'said before'
    assert by_topic['/magma/overlay/compressed'].data.tobytes() == bytes(range(256))
    positions = [m.position[0] for topic, m in found if topic == '/wx250s/joint_states']
    assert positions == [float(index) for index in range(COUNT)]
