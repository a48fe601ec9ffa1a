import pytest

pytest.importorskip('rclpy')

from rclpy.qos import QoSCompatibility, qos_check_compatible  # noqa: E402

from magma_ros.ros.topics import SERVICES, TOPICS  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.mark.parametrize('table', [TOPICS, SERVICES], ids=['topics', 'services'])
def test_names_are_unique(table):
    names = [entry.name for entry in table]

    assert len(names) == len(set(names))


@pytest.mark.parametrize('topic', TOPICS, ids=lambda topic: topic.name)
def test_offered_qos_satisfies_the_wanted(topic):
    compatible, reason = qos_check_compatible(topic.offered, topic.wanted)

    assert compatible is not QoSCompatibility.ERROR, reason
