"""``magma data traces``: a video of the Trace-of-Mark labels of a recording, to look at."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from magma_ros.camera.frame_source import CameraSource
from magma_ros.camera.picture_folder import PictureFolder
from magma_ros.camera.video_file import VideoFile
from magma_ros.data_types import CameraImage
from magma_ros.dataset.image_compression import COMPRESSED_IMAGE, IMAGE
from magma_ros.dataset.traces.conversation import to_conversation
from magma_ros.dataset.traces.cotracker import CoTracker
from magma_ros.dataset.traces.episode_traces import label_episode
from magma_ros.dataset.traces.lucas_kanade import LucasKanadeTracker
from magma_ros.dataset.traces.trace_pictures import SIZE_PX, draw_side_by_side
from magma_ros.dataset.traces.trace_settings import PERSON, ROBOT
from magma_ros.dataset.traces.tracker import Picture, Tracker
from magma_ros.errors import ConfigurationError, EnvironmentMissing, RecordingError
from magma_ros.evaluation.video import VideoWriter

EPILOG = """\
On the left a frame with its marks and where they will move, on the right what then happens.

examples:
  magma data traces runs/episodes/EPISODE --out traces.webm
  magma data traces PICTURES --rate 10 --seed 3
  magma data traces film.mp4 --who person --task "cut an onion"
"""
VIDEO_SUFFIXES = ('.mp4', '.webm', '.mkv', '.avi', '.mov')
BAG_PATTERNS = ('metadata.yaml', '*.mcap', '*.db3', '*.mcap.zstd', '*.db3.zstd')
SETTINGS = {'robot': ROBOT, 'person': PERSON}
SLACK_NS = 1_000_000  # a picture this much early counts as in time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``magma data traces``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument('source', type=Path, help='a bag, a folder of pictures or a video')
    parser.add_argument('--out', type=Path, default=Path('traces.webm'), help='ends in .webm')
    parser.add_argument('--topic', default='', help='of the pictures; else the first with colour')
    parser.add_argument('--rate', type=float, default=5.0, help='labelled frames a second')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of marks')
    parser.add_argument('--who', choices=tuple(SETTINGS), default='robot', help='who moves')
    parser.add_argument('--task', default='', help='print the answers of this task, too')
    parser.add_argument('--cotracker', type=Path, help="CoTracker's weights, to use it instead")


def run(options: argparse.Namespace) -> int:
    """Label, draw, and say what was left out; 1 when nothing moved."""
    if not 0.1 <= options.rate <= 240.0:
        raise ConfigurationError(f'--rate {options.rate}: give a number from 0.1 to 240')
    if options.out.suffix != '.webm':
        raise ConfigurationError(f'--out {options.out}: the video is WebM, end it in .webm')
    console = Console(highlight=False, markup=False, soft_wrap=True)
    settings = SETTINGS[options.who]
    tracker: Tracker = CoTracker(options.cotracker) if options.cotracker else LucasKanadeTracker()
    chosen = (options.source, options.rate, options.topic)
    episode = label_episode(read_frames(*chosen), settings, options.seed, tracker)
    width, height = SIZE_PX
    with VideoWriter(options.out, (2 * width, height), options.rate) as video:
        for picture in draw_side_by_side(read_frames(*chosen), episode.labels, settings.horizon):
            video.add(picture)
    for labels in episode.labels:
        said = to_conversation(labels, options.task, options.who) if options.task else None
        if said is not None:
            console.print(f'frame {labels.frame}: {said.question}\n{said.answer}\n')
    with_trace = sum(bool(labels.moving) for labels in episode.labels)
    console.print(f'{len(episode.labels)} frames, {with_trace} with marks that move')
    for reason, count in sorted(episode.dropped.items()):
        console.print(f'  left out, {reason}: {count}')
    console.print(f'look at {options.out}')
    return 0 if with_trace else 1


def read_frames(source: Path, rate_hz: float, topic: str = '') -> Iterator[Picture]:
    """The pictures of a bag, a folder or a video, thinned to a rate.

    Raises:
        MagmaError: there are none, or they are damaged.
    """
    next_ns: int | None = None
    for image in _images(source, rate_hz, topic):
        if next_ns is None or image.stamp_ns >= next_ns - SLACK_NS:
            period_ns = round(1e9 / rate_hz)
            late_ns = image.stamp_ns - (next_ns or image.stamp_ns)
            next_ns = image.stamp_ns + period_ns - (late_ns if late_ns < period_ns else 0)
            yield image.rgb
    if next_ns is None:
        raise RecordingError(f'{source} holds no pictures{f" on {topic}" if topic else ""}')


def _images(source: Path, rate_hz: float, topic: str) -> Iterator[CameraImage]:
    if source.suffix.lower() in VIDEO_SUFFIXES:
        yield from _from_camera(VideoFile(source))
    elif source.is_dir() and not any(any(source.glob(name)) for name in BAG_PATTERNS):
        yield from _from_camera(PictureFolder(source, rate_hz))
    else:
        yield from _from_bag(source, topic)


def _from_camera(camera: CameraSource) -> Iterator[CameraImage]:
    camera.open()
    try:
        while (frame := camera.read(0.0)) is not None:
            yield frame.image
    finally:
        camera.close()


def _from_bag(bag: Path, topic: str) -> Iterator[CameraImage]:
    if find_spec('rosbags') is None:
        raise EnvironmentMissing('bags are read with rosbags, not installed: pip install .[data]')
    from magma_ros.dataset.features.picture_feature import read_picture_message
    from magma_ros.dataset.reading.bag_folder import open_folder
    from magma_ros.dataset.reading.message_stream import MessageStream

    for message in MessageStream(open_folder(bag), {topic} if topic else None):
        is_picture = message.type_name in (IMAGE, COMPRESSED_IMAGE)
        if not topic and is_picture and 'depth' not in message.topic.lower():
            topic = message.topic
        if message.topic == topic:
            yield read_picture_message(message)
