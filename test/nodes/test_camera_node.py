"""The camera node in this process: what it publishes, and what it says of its source."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo, Image

from magma_ros.camera.frame_source import STREAMING, Condition, Frame, SourceState
from magma_ros.camera.lens import assume_lens
from magma_ros.data_types import CameraImage, DepthImage
from magma_ros.errors import CameraError, ConfigurationError
from magma_ros.image.picture_file import write_picture
from magma_ros.nodes import camera_node
from magma_ros.nodes.camera_sources import SourceChoice, make_source
from magma_ros.ros.camera_topics import camera_topics
from magma_ros.ros.status_messages import ERROR, OK, status_values
from magma_ros.ros.time_stamps import stamp_to_ns

WAIT_S = 20.0


class PullableCamera:
    """A camera of 20 Hz that can be pulled out."""

    def __init__(self) -> None:
        self.state = STREAMING
        self.is_plugged_in = True

    def open(self) -> None:
        self.state = STREAMING

    def read(self, timeout_s: float) -> Frame | None:
        time.sleep(0.05)
        if not self.is_plugged_in:
            self.state = SourceState(Condition.UNPLUGGED, 'plug it in')
            return None
        self.state = STREAMING
        now_ns = time.time_ns()
        image = CameraImage(np.full((48, 64, 3), 7, np.uint8), now_ns, 'optical')
        depth = DepthImage(np.full((48, 64), 0.5, np.float32), now_ns)
        return Frame(image, depth, assume_lens(64, 48).camera_model())

    def close(self) -> None:
        pass


class Listener:
    """Runs a camera node with parameters, and keeps what it publishes."""

    def __init__(self, domain_id: int, parameters: dict[str, Any]) -> None:
        words = [word for name, value in parameters.items() for word in ('-p', f'{name}:={value}')]
        rclpy.init(domain_id=domain_id, args=['--ros-args', *words])
        self.heard: dict[str, list[Any]] = {'diagnostics': []}
        self._executor = SingleThreadedExecutor()
        self._listener = rclpy.create_node('listener')
        for name, topic in camera_topics().items():
            self.heard[name] = []
            topic.subscribe(self._listener, self.heard[name].append)
        self._listener.create_subscription(
            DiagnosticArray, '/diagnostics', self.heard['diagnostics'].append, 10
        )
        self.node = camera_node.CameraNode()
        for node in (self._listener, self.node):
            self._executor.add_node(node)

    def wait(self, is_done: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not is_done():
            assert time.monotonic() < deadline_s, {n: len(m) for n, m in self.heard.items()}
            self._executor.spin_once(0.05)

    def conditions(self) -> list[str]:
        return [status_values(array.status[0])['condition'] for array in self.heard['diagnostics']]

    def close(self) -> None:
        self.node.close()
        self._executor.shutdown()
        self.node.destroy_node()
        self._listener.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def listen(domain_id: int):
    listeners: list[Listener] = []

    def start(**parameters: Any) -> Listener:
        listeners.append(Listener(domain_id, parameters))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for index in range(count):
        write_picture(np.full((48, 64, 3), 40 + index, np.uint8), folder / f'{index}.png')
    return folder


def test_pictures_of_a_folder_come_at_their_rate_with_stamps_of_now(
    listen: Callable[..., Listener], tmp_path: Path
) -> None:
    folder = write_pictures(tmp_path / 'pictures', 3)
    before_ns = time.time_ns()
    listener = listen(source=folder, rate_hz=20.0, repeat=True)

    listener.wait(lambda: len(listener.heard['colour']) >= 6)

    images: list[Image] = listener.heard['colour']
    infos: list[CameraInfo] = listener.heard['colour_info']
    stamps_ns = [stamp_to_ns(image.header.stamp) for image in images]
    assert stamps_ns == sorted(set(stamps_ns))
    assert before_ns < stamps_ns[0] < time.time_ns()
    assert {(image.width, image.height, image.encoding) for image in images} == {(64, 48, 'rgb8')}
    assert infos[0].k[0] > 0
    assert infos[0].header.frame_id == 'camera_color_optical_frame'
    assert listener.heard['depth'] == []


def test_a_camera_that_is_pulled_out_is_reported_and_its_return_too(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = PullableCamera()
    monkeypatch.setattr(camera_node, 'make_source', lambda *_: camera)
    listener = listen(source='realsense')
    listener.wait(lambda: 'streaming' in listener.conditions() and bool(listener.heard['depth']))
    depth: Image = listener.heard['depth'][0]
    assert depth.encoding == '16UC1'
    assert np.frombuffer(depth.data, '<u2')[0] == 500

    camera.is_plugged_in = False
    listener.wait(lambda: listener.conditions()[-1] == 'unplugged')
    status = listener.heard['diagnostics'][-1].status[0]
    assert (status.level, status.message) == (ERROR, 'plug it in')
    count = len(listener.heard['colour'])
    camera.is_plugged_in = True

    listener.wait(lambda: len(listener.heard['colour']) > count + 2)
    listener.wait(lambda: listener.heard['diagnostics'][-1].status[0].level == OK)
    assert not listener.node.has_failed


def test_a_damaged_file_ends_the_node(listen: Callable[..., Listener], tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / 'pictures', 1)
    (folder / '1.png').write_bytes(b'no picture')

    listener = listen(source=folder, rate_hz=20.0)

    listener.wait(lambda: listener.node.has_failed)


def test_words_mean_sources(tmp_path: Path) -> None:
    def kind(source: object) -> str:
        choice = SourceChoice(str(source))
        return type(make_source(choice, time.monotonic, time.time_ns)).__name__

    (tmp_path / 'film.mp4').touch()
    (tmp_path / 'bag').mkdir()
    (tmp_path / 'bag' / 'bag_0.mcap').touch()
    assert kind('realsense') == kind('realsense:0123') == 'RealSenseSource'
    assert kind(tmp_path) == 'PictureFolder'
    assert kind(tmp_path / 'film.mp4') == 'VideoFile'
    assert kind(tmp_path / 'bag') == kind(tmp_path / 'bag' / 'bag_0.mcap') == 'BagCameraSource'
    for wrong in ('', 'webcam', tmp_path / 'absent'):
        with pytest.raises(ConfigurationError, match='realsense:SERIAL'):
            kind(wrong)


def test_a_bag_without_its_camera_is_named(tmp_path: Path) -> None:
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / 'camera'))
    from recorded_camera import POSE, write_camera_bag

    from magma_ros.nodes.bag_camera_source import BagCameraSource

    blind = write_camera_bag(tmp_path / 'blind', 2, left_out=('colour_info',))
    with pytest.raises(CameraError, match=r'no messages of /camera/camera/color/camera_info'):
        BagCameraSource(blind).open()
    source = BagCameraSource(write_camera_bag(tmp_path / 'jpeg', 4, compressed=True))
    source.open()
    frames = [source.read(0.0) for _ in range(5)]
    assert len(source) == 4
    assert [frame is None for frame in frames] == [False] * 4 + [True]
    assert frames[0] is not None
    assert frames[0].depth is not None
    place = frames[0].camera.pose_camera_in_base.translation_m
    assert place == pytest.approx(POSE.translation_m)
