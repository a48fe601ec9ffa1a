"""What every source promises, whatever it reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numbered_pictures import number_of, numbered_picture
from soft_camera import HEIGHT, RATE_HZ, WIDTH, Clock, Sockets, SoftCamera, needs_realsense

from magma_ros.camera.frame_source import CameraSource, Condition, Frame
from magma_ros.camera.picture_folder import PictureFolder
from magma_ros.camera.realsense_devices import RecordedDevice
from magma_ros.camera.realsense_library import load_realsense
from magma_ros.camera.realsense_source import RealSenseSource
from magma_ros.camera.realsense_stream import RealSenseSettings
from magma_ros.camera.video_file import VideoFile

COUNT = 11
SETTINGS = RealSenseSettings(width_px=WIDTH, height_px=HEIGHT)


class SelfFilming:
    """A live camera for the contract: each read finds a new picture."""

    def __init__(self) -> None:
        self._camera = SoftCamera(load_realsense())
        self._source = RealSenseSource(SETTINGS, Clock(), lambda: 1, Sockets(self._camera))

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def read(self, timeout_s: float) -> Frame | None:
        if self._source._stream is None:
            return self._source.read(0.001)  # connects
        self._camera.inject(numbered_picture(3), np.full((HEIGHT, WIDTH), 700, np.uint16))
        return self._source.read(timeout_s)


def make_folder(tmp_path: Path) -> CameraSource:
    return PictureFolder(tmp_path / 'pictures', rate_hz=4.0)


def make_video(tmp_path: Path) -> CameraSource:
    from magma_ros.evaluation.video import VideoWriter

    with VideoWriter(tmp_path / 'film.webm', (64, 48), rate_hz=4.0) as video:
        for index in range(COUNT):
            video.add(numbered_picture(index))
    return VideoFile(tmp_path / 'film.webm')


def make_live(tmp_path: Path) -> CameraSource:
    return SelfFilming()


def make_recording(tmp_path: Path) -> CameraSource:
    """librealsense's own recorder films the software camera, its playback is the camera then."""
    realsense = load_realsense()
    camera, path = SoftCamera(realsense), tmp_path / 'camera.db3'
    recorder = realsense.recorder(str(path), camera.device)
    queue, sensors = realsense.frame_queue(50), recorder.query_sensors()
    for sensor in sensors:
        sensor.open(sensor.get_stream_profiles())
        sensor.start(queue)
    for _ in range(3 * COUNT):
        camera.inject(numbered_picture(2), np.full((HEIGHT, WIDTH), 700, np.uint16))
        queue.wait_for_frame()
    for sensor in sensors:
        sensor.stop()
        sensor.close()
    del recorder, sensors, sensor  # writes the end of the file
    return RealSenseSource(SETTINGS, Clock(), lambda: 1, RecordedDevice(path))


def make_simulation(tmp_path: Path) -> CameraSource:
    from magma_ros.robot.arm_profile import load_arm_profile
    from magma_ros.sim.camera_source import SimCameraSource
    from magma_ros.sim.scenario import make_scenario
    from magma_ros.sim.world import World

    return SimCameraSource(World(load_arm_profile('wx250s')), make_scenario('put', 1).scene)


def make_bag(tmp_path: Path) -> CameraSource:
    pytest.importorskip('rclpy')
    from recorded_camera import write_camera_bag

    from magma_ros.nodes.bag_camera_source import BagCameraSource

    return BagCameraSource(write_camera_bag(tmp_path / 'bag', COUNT))


MAKERS = [make_folder, make_video, make_bag, make_simulation]
MAKERS += [pytest.param(maker, marks=needs_realsense) for maker in (make_live, make_recording)]
each_source = pytest.mark.parametrize('make', MAKERS)


@pytest.fixture
def source(make: Callable[[Path], CameraSource], tmp_path: Path, picture_folder: Path):
    source = make(tmp_path)
    yield source
    source.close()


def take(source: CameraSource, count: int) -> list[Frame]:
    frames: list[Frame] = []
    for _ in range(50 + 10 * count):  # also while exposure settles
        frame = source.read(1.0)
        if frame is not None:
            frames.append(frame)
        if len(frames) == count or source.state.condition is Condition.ENDED:
            break
    return frames


@each_source
def test_stamps_increase_and_the_lens_fits_the_picture(source: CameraSource) -> None:
    source.open()

    frames = take(source, 5)

    assert len(frames) == 5
    stamps_ns = [frame.image.stamp_ns for frame in frames]
    assert stamps_ns == sorted(set(stamps_ns))
    for frame in frames:
        height, width, channels = frame.image.rgb.shape
        assert frame.image.rgb.dtype == np.uint8
        assert (channels, frame.camera.width_px, frame.camera.height_px) == (3, width, height)
        assert frame.camera.focal_x_px > 0
        if frame.depth is not None:
            assert frame.depth.depth_m.shape == (height, width)
            assert frame.depth.depth_m.dtype == np.float32
    assert source.state.condition is Condition.STREAMING


@each_source
def test_a_picture_is_not_changed_by_those_that_follow(source: CameraSource) -> None:
    source.open()
    (first,) = take(source, 1)
    before = first.image.rgb.copy()

    take(source, 3)

    np.testing.assert_array_equal(first.image.rgb, before)


@each_source
def test_reading_what_is_not_open_is_a_bug(source: CameraSource) -> None:
    assert source.state.condition is Condition.CLOSED
    with pytest.raises(ValueError, match='not open'):
        source.read(0.0)


@each_source
def test_closing_twice_is_fine_and_it_can_be_opened_again(source: CameraSource) -> None:
    source.open()
    take(source, 2)
    source.close()
    source.close()
    assert source.state.condition is Condition.CLOSED

    source.open()

    assert len(take(source, 2)) == 2


@pytest.mark.parametrize('make', [make_folder, make_video, make_bag])
def test_files_give_every_picture_once_in_order_and_end(source: CameraSource) -> None:
    for _ in range(2):  # from the beginning each time
        source.open()

        frames = take(source, COUNT + 5)

        assert [number_of(frame.image.rgb) for frame in frames] == list(range(COUNT))
        assert len(source) == COUNT  # type: ignore[arg-type]
        begin_ns = frames[0].image.stamp_ns
        seconds = [(frame.image.stamp_ns - begin_ns) * 1e-9 for frame in frames]
        assert seconds == pytest.approx([index / 4.0 for index in range(COUNT)], abs=0.002)
        assert source.state.condition is Condition.ENDED
        assert source.read(0.0) is None


@needs_realsense
@pytest.mark.parametrize('make', [make_recording])
def test_a_recording_has_depth_and_stamps_of_the_host_and_ends(source: CameraSource) -> None:
    source.open()

    frames = take(source, 3 * COUNT)

    assert source.state.condition is Condition.ENDED
    # Without those while exposure settled, and the few that librealsense drops on a busy machine.
    assert len(frames) >= COUNT
    steps = np.diff([frame.image.stamp_ns for frame in frames]) * 1e-9 * RATE_HZ
    assert steps == pytest.approx(np.round(steps), abs=0.03)
    assert np.median(steps) == pytest.approx(1.0, abs=0.03)
    depths = [frame.depth.depth_m for frame in frames if frame.depth is not None]
    assert len(depths) >= COUNT
    assert np.median(depths) == pytest.approx(0.7)
