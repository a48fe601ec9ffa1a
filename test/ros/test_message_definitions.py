from __future__ import annotations

import pytest

pytest.importorskip('rclpy')
typesys = pytest.importorskip('rosbags.typesys')

from rclpy.qos import QoSProfile  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.message_definitions import definition_of, hash_of, type_name  # noqa: E402
from magma_ros.ros.quality_text import quality_text  # noqa: E402
from magma_ros.ros.topic_kinds import DRIVER, LATCHED  # noqa: E402


@pytest.mark.parametrize('topic', topics.TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_a_definition_and_a_hash(topic: topics.Topic) -> None:
    types = typesys.get_types_from_msg(definition_of(topic.kind), type_name(topic.kind))
    assert type_name(topic.kind) in types
    assert hash_of(topic.kind).startswith('RIHS01_')


def test_a_known_hash() -> None:
    # ros2 topic info -v of Iron and later.
    expected = 'RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18'
    assert hash_of(String) == expected


@pytest.mark.filterwarnings('ignore:A zero depth with KEEP_LAST')
@pytest.mark.parametrize(
    ('qos', 'expected'),
    [
        (LATCHED, {'history': 1, 'depth': 1, 'reliability': 1, 'durability': 1}),
        (DRIVER, {'history': 1, 'depth': 5, 'reliability': 1, 'durability': 2}),
        # What Fast DDS tells of a publisher somewhere else.
        (QoSProfile(history=1, depth=0), {'history': 1, 'depth': 10}),
    ],
)
def test_quality_of_service_as_rosbag2_writes_it(qos: QoSProfile, expected: dict) -> None:
    (profile,) = YAML(typ='safe').load(quality_text(qos))
    assert {key: profile[key] for key in expected} == expected
    assert profile['lifespan'] == {'sec': 9223372036, 'nsec': 854775807}
    assert profile['avoid_ros_namespace_conventions'] is False
