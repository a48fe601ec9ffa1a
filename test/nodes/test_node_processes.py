"""Starting and ending node processes, and what is said when that does not work."""

import fcntl
import os
import signal
import time

import pytest

pytest.importorskip('rclpy')

from magma_ros.errors import ConfigurationError, EnvironmentMissing  # noqa: E402
from magma_ros.nodes.node_processes import NodeProcesses, NodeProgram  # noqa: E402
from magma_ros.ros.shared_memory import remove_orphans, segments_of  # noqa: E402

pytestmark = pytest.mark.ros
SERVO = NodeProgram('servo_stand_in_node', ('servo_stand_in.yaml',))


def test_node_lives_inside_the_block_and_leaves_nothing(domain_id):
    with NodeProcesses([SERVO], domain_id=domain_id) as nodes:
        pid = nodes.pids[SERVO.name]
        nodes.check()
        segments = segments_of(pid)
        assert segments

        with (
            pytest.raises(ConfigurationError, match='has servo_stand_in_node already'),
            NodeProcesses([SERVO], domain_id=domain_id),
        ):
            pass

        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        with pytest.raises(EnvironmentMissing, match='ended with code -9'):
            nodes.check()
    assert not any(segment.exists() for segment in segments)


def test_last_words_of_a_node_are_shown(domain_id):
    parameters = {SERVO.name: {'publish_perod': 0.02}}

    with (
        pytest.raises(EnvironmentMissing, match='has no parameters publish_perod'),
        NodeProcesses([SERVO], parameters, domain_id=domain_id),
    ):
        pass


@pytest.mark.parametrize(
    ('value', 'named'), [('abc', 'must be a number'), ('230', 'from 0 to 101')]
)
def test_impossible_domains_are_named(monkeypatch, value, named):
    monkeypatch.setenv('ROS_DOMAIN_ID', value)

    with pytest.raises(ConfigurationError, match=named):
        NodeProcesses([SERVO])


def test_segments_with_a_living_owner_are_kept(tmp_path):
    segment, lock = tmp_path / 'fastdds_0123', tmp_path / 'fastdds_0123_el'
    segment.write_bytes(b'x')
    lock.write_bytes(b'')

    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_orphans([segment]) == set()
    assert remove_orphans([segment, tmp_path / 'fastdds_gone']) == {segment}
    assert not list(tmp_path.iterdir())
