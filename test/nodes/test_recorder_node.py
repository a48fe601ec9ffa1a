"""The recorder as a process: what is sent is in the bag, whatever happens to the recorder."""

from __future__ import annotations

import array
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
rosbags_reader = pytest.importorskip('rosbags.highlevel')

import rclpy  # noqa: E402
from rclpy.context import Context  # noqa: E402
from sensor_msgs.msg import Image, JointState  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from magma_ros.dataset.bag_reader import read_messages, report_file  # noqa: E402
from magma_ros.dataset.bag_rewrite import rewrite_bag  # noqa: E402
from magma_ros.dataset.episode_record import read_record  # noqa: E402
from magma_ros.dataset.video_reading import read_video  # noqa: E402
from magma_ros.nodes.node_processes import NodeProcesses  # noqa: E402
from magma_ros.nodes.node_program import RECORDER_PROGRAM  # noqa: E402
from magma_ros.ros import topics  # noqa: E402
from magma_ros.ros.recorder_client import RecorderClient  # noqa: E402
from magma_ros.ros.status_messages import heartbeat_message  # noqa: E402
from magma_ros.ros.time_stamps import stamp_from_ns  # noqa: E402

pytestmark = pytest.mark.ros
PATIENCE_S = 30.0
COLOUR = topics.camera_topics()['colour']


class Robot:
    """Says what robots say."""

    def __init__(self, domain_id: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self.node = rclpy.create_node('robot', context=self.context)
        self.sentences = topics.INSTRUCTION.publisher(self.node)
        self.joints = topics.JOINT_STATES.publisher(self.node)
        self.pictures = COLOUR.publisher(self.node)
        self.sent = 0

    def move(self, count: int, is_frozen: bool = False) -> None:
        """Joint states numbered by their effort, and a picture for each tenth."""
        for _ in range(count):
            message = JointState(name=['waist'], position=[0.0], effort=[float(self.sent)])
            message.header.stamp = stamp_from_ns(time.time_ns())
            self.joints.publish(message)
            if self.sent % 10 == 0:
                noise = bytes(64 * 48 * 3) if is_frozen else os.urandom(64 * 48 * 3)
                pixels = array.array('B', noise)
                image = Image(height=48, width=64, step=192, encoding='rgb8', data=pixels)
                image.header.stamp = message.header.stamp
                self.pictures.publish(image)
            self.sent += 1
            time.sleep(0.002)

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def robot(domain_id: int) -> Iterator[Robot]:
    robot = Robot(domain_id)
    yield robot
    robot.close()


@pytest.fixture
def recorder(domain_id: int, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple]:
    given = {'directory': str(tmp_path / 'episodes'), 'disk_warn_gb': 0.0, 'disk_stop_gb': 0.0}
    given.update(getattr(request, 'param', {}))
    with (
        NodeProcesses([RECORDER_PROGRAM], {'recorder_node': given}, domain_id) as nodes,
        RecorderClient(domain_id) as client,
    ):
        yield nodes, client


def wait_until_heard(robot: Robot, client: RecorderClient) -> None:
    """Until the recorder counts both topics."""
    names = {f'hz {topics.JOINT_STATES.name}', f'hz {COLOUR.name}'}
    deadline_s = time.monotonic() + PATIENCE_S
    while not names <= set(client.state):
        assert time.monotonic() < deadline_s, client.state
        robot.move(20)
        client.spin(0.05)


def efforts(bag: Path) -> list[float]:
    with rosbags_reader.AnyReader([bag]) as reader:
        return [
            float(reader.deserialize(raw, c.msgtype).effort[0])
            for c, _, raw in reader.messages()
            if c.topic == topics.JOINT_STATES.name
        ]


@pytest.mark.parametrize(
    'recorder', [{'pictures': 'jpeg', 'chunks': 'zstd'}], indirect=True, ids=['jpeg']
)
def test_an_episode_from_start_to_success(recorder: tuple, robot: Robot) -> None:
    nodes, client = recorder
    robot.sentences.publish(String(data='said long before'))
    wait_until_heard(robot, client)
    robot.move(50)  # of the seconds before the start
    done, folder = client.ask('start')
    assert done, folder
    robot.move(100)
    client.note('the cube slipped')
    done, text = client.ask('start')
    assert not done
    assert 'is being recorded; stop it first' in text
    done, text = client.ask('success')
    assert (done, text) == (True, folder)

    bag = Path(folder)
    deadline_s = time.monotonic() + PATIENCE_S
    while b'zstd' not in (bag / f'{bag.name}_0.mcap').read_bytes():
        assert time.monotonic() < deadline_s, 'the bag got no index'
        client.spin(0.2)
    numbers = efforts(bag)
    assert numbers == [float(n) for n in range(int(numbers[0]), robot.sent)]
    assert len(numbers) > 150  # with those before the start
    with rosbags_reader.AnyReader([bag]) as reader:
        last = {
            c.topic: (c.msgtype, reader.deserialize(raw, c.msgtype))
            for c, _, raw in reader.messages()
        }
    assert last['/magma/instruction'][1].data == 'said long before'
    kind, picture = last[f'{COLOUR.name}/compressed']
    assert kind == 'sensor_msgs/msg/CompressedImage'
    assert picture.format == 'rgb8; jpeg compressed bgr8'
    assert picture.data.tobytes()[:2] == b'\xff\xd8'

    record = read_record(bag)
    assert record is not None
    assert (record.success, record.ended_by) == (True, 'operator')
    assert [text for _, text in record.notes] == ['the cube slipped']
    joints = record.topics[topics.JOINT_STATES.name]
    assert (joints['lost'], joints['dropped']) == (0, 0)
    assert record.context['parameters']['recorder_node']['pictures'] == 'jpeg'
    assert record.context['software']['magma_ros']
    report = report_file(bag / f'{bag.name}_0.mcap')
    assert {'wx250s.yaml', 'wx250s.urdf', 'episode.json'} == {a.name for a in report.attachments}
    assert client.ask('discard')[0]
    assert (bag.parent / 'discarded' / bag.name / 'metadata.yaml').is_file()
    assert client.ask('keep') == (True, folder)
    del nodes


@pytest.mark.parametrize(
    'recorder', [{'pictures': 'video', 'frozen_s': 0.2}], indirect=True, ids=['video']
)
def test_a_recorder_warns_while_it_records_and_may_be_killed(
    recorder: tuple, robot: Robot
) -> None:
    pytest.importorskip('av')
    nodes, client = recorder
    wait_until_heard(robot, client)
    done, folder = client.ask('start')
    assert done, folder
    deadline_s = time.monotonic() + PATIENCE_S
    while 'the same picture for' not in client.text:
        assert time.monotonic() < deadline_s, client.text
        robot.move(20, is_frozen=True)
        client.spin(0.01)
    assert client.state['state'] == 'recording'
    robot.move(100)
    os.kill(nodes.pids['recorder_node'], signal.SIGKILL)

    bag = Path(folder)
    found = [m for m in read_messages(bag) if m.topic == topics.JOINT_STATES.name]
    sequences = [message.sequence for message in found]
    assert sequences == list(range(1, len(found) + 1))
    assert len(found) > 100
    frames = list(read_video(bag, f'{COLOUR.name}/video'))
    assert len(frames) > 10
    assert frames[-1].rgb.shape == (48, 64, 3)
    assert all(0 <= frame.log_ns - frame.stamp_ns < PATIENCE_S * 1e9 for frame in frames)
    assert rewrite_bag(bag).kept >= len(found)
    assert len(efforts(bag)) == len(found)


@pytest.mark.parametrize('recorder', [{'disk_warn_gb': 999.0}], indirect=True, ids=['no room'])
def test_a_disk_without_room_and_a_second_recorder_are_named(
    recorder: tuple, robot: Robot
) -> None:
    _, client = recorder
    done, text = client.ask('start')
    assert not done
    assert 'disk_warn_gb asks for 999.0 GB' in text
    rival = topics.heartbeat_topic('recorder_node').publisher(robot.node)
    deadline_s = time.monotonic() + PATIENCE_S
    while 'another recorder_node obeys the same keys' not in client.text:
        assert time.monotonic() < deadline_s, client.text
        rival.publish(heartbeat_message('recorder_node', 1))
        client.spin(0.1)
