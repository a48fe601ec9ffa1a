"""Which source of pictures a user means by a word: a camera, a file, a folder, a bag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from magma_ros.camera.frame_source import CameraSource
from magma_ros.camera.lens import Lens, read_lens
from magma_ros.camera.picture_folder import PictureFolder
from magma_ros.camera.realsense_devices import RecordedDevice
from magma_ros.camera.realsense_source import RealSenseSource
from magma_ros.camera.realsense_stream import RealSenseSettings
from magma_ros.camera.video_file import VideoFile
from magma_ros.errors import ConfigurationError

REALSENSE = 'realsense'
RECORDING_SUFFIXES = ('.db3', '.bag')  # of pyrealsense2's recorder, now and before 2.57
SOURCES = (
    'realsense, realsense:SERIAL, a video, a folder of pictures, a rosbag2 (folder or .mcap), or '
    'a recording of a RealSense camera (.db3)'
)


@dataclass(frozen=True)
class SourceChoice:
    """What a user asked for; what does not concern the source is not looked at."""

    source: str
    width_px: int = 640
    height_px: int = 480
    rate_hz: float = 30.0  # of a camera, and of the pictures in a folder
    has_depth: bool = True
    lens_file: str = ''  # of a video or folder
    namespace: str = '/camera/camera'  # of the camera in a bag
    frame_id: str = 'camera_color_optical_frame'


def make_source(
    choice: SourceChoice, now_s: Callable[[], float], wall_ns: Callable[[], int]
) -> CameraSource:
    """The source, not yet open.

    Args:
        choice: what is wanted.
        now_s: a monotonic clock.
        wall_ns: the clock of the stamps.

    Raises:
        ConfigurationError: there is no such source.
        EnvironmentMissing: a library it needs is missing.
    """
    kind, _, serial = choice.source.partition(':')
    if kind == REALSENSE:
        return RealSenseSource(_settings(choice, serial), now_s, wall_ns)
    path = Path(choice.source)
    if not choice.source or not path.exists():
        raise ConfigurationError(f'there is no source {choice.source!r}: name {SOURCES}')
    if path.is_dir() and not _is_bag(path):
        return PictureFolder(path, choice.rate_hz, _lens(choice), frame_id=choice.frame_id)
    if path.is_dir() or path.suffix == '.mcap':
        from magma_ros.nodes.bag_camera_source import BagCameraSource

        return BagCameraSource(path, choice.namespace)
    if path.suffix in RECORDING_SUFFIXES:
        return RealSenseSource(_settings(choice, ''), now_s, wall_ns, RecordedDevice(path))
    return VideoFile(path, _lens(choice), frame_id=choice.frame_id)


def is_live(source: str) -> bool:
    """Whether pictures come by themselves, without end."""
    return source.partition(':')[0] == REALSENSE


def _is_bag(folder: Path) -> bool:
    return (folder / 'metadata.yaml').is_file() or any(folder.glob('*.mcap'))


def _lens(choice: SourceChoice) -> Lens | None:
    return read_lens(Path(choice.lens_file)) if choice.lens_file else None


def _settings(choice: SourceChoice, serial: str) -> RealSenseSettings:
    return RealSenseSettings(
        serial,
        choice.width_px,
        choice.height_px,
        round(choice.rate_hz),
        choice.has_depth,
        frame_id=choice.frame_id,
    )
