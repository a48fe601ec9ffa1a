"""Colour pictures as H.264: each picture is one message with its own stamp, before and after.

The messages are ``foxglove_msgs/msg/CompressedVideo``, which Foxglove shows: Annex B, one picture
in each, no B-frames, the parameter sets before every key picture (docs.foxglove.dev, "Compressed
video"). So a recording that is cut off is whole up to its last message. PyAV brings libx264 along
and encodes without holding Python's lock.
"""

from __future__ import annotations

import importlib
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from magma_ros.dataset.cdr import LITTLE_ENDIAN, cdr_octets, cdr_string, padded
from magma_ros.dataset.image_compression import Picture
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.errors import EnvironmentMissing, RecordingError

COMPRESSED_VIDEO = 'foxglove_msgs/msg/CompressedVideo'
DEFINITION = f"""\
builtin_interfaces/Time timestamp
string frame_id
uint8[] data
string format
{'=' * 80}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""
# RIHS01 of that definition.
TYPE_HASH = 'RIHS01_32039eafc3770e589c86c4dabff9c392ce9955ebffd43f5f60763011d43d8d1d'
VIDEO_SUFFIX = '/video'
KEY_EVERY = 30  # pictures: a second of a usual camera; a reader begins at one of these
RATE_HZ = 30  # for the encoder's own budget; times are those of the messages


class VideoEncoder:
    """Of one camera and one episode.

    Args:
        crf: quality of x264, 0 to 51; smaller is better.

    Raises:
        EnvironmentMissing: PyAV is not installed.
    """

    def __init__(self, crf: int) -> None:
        self._av, self._crf = load_av(), crf
        self._codec: Any = None
        self._shape: tuple[int, ...] = ()
        self._count = 0

    def compress(self, arrival: Arrival, picture: Picture) -> Arrival:
        """The picture as CompressedVideo of the topic's ``/video``.

        Raises:
            RecordingError: its size is odd, which H.264 in 4:2:0 does not have, or the encoder
                does not do it.
        """
        pixels = picture.pixels
        if pixels.shape[0] % 2 or pixels.shape[1] % 2:
            size = f'{pixels.shape[1]}x{pixels.shape[0]}'
            raise RecordingError(f'{arrival.topic}: no video of {size}, both must be even')
        try:
            if pixels.shape != self._shape:  # the first, or the camera was set to another size
                self._codec, self._shape = self._open(pixels.shape), pixels.shape
            packet = self._encode(pixels)
        except (self._av.FFmpegError, ValueError) as error:  # the latter: there is no libx264
            self._shape = ()
            raise RecordingError(f'{arrival.topic}: cannot become a video ({error})') from error
        data = LITTLE_ENDIAN + padded(picture.header) + padded(cdr_octets(packet))
        data += cdr_string('h264')
        topic = video_name(arrival.topic)
        return Arrival(topic, data, arrival.received_ns, arrival.published_ns)

    def _encode(self, pixels: NDArray) -> bytes:
        name = 'bgr24' if pixels.ndim == 3 else 'gray'
        frame = self._av.VideoFrame.from_ndarray(pixels, format=name)
        frame.pts = self._count
        self._count += 1
        (packet,) = self._codec.encode(frame)  # tuned for no latency: at once, and one each
        return bytes(packet)

    def _open(self, shape: tuple[int, ...]) -> Any:
        codec = self._av.CodecContext.create('libx264', 'w')
        codec.height, codec.width, codec.pix_fmt = shape[0], shape[1], 'yuv420p'
        codec.time_base, codec.framerate = Fraction(1, RATE_HZ), Fraction(RATE_HZ)
        codec.thread_count, codec.max_b_frames = 1, 0
        keys = f'keyint={KEY_EVERY}:scenecut=0:repeat-headers=1:annexb=1'
        codec.options = {
            'preset': 'ultrafast',
            'tune': 'zerolatency',
            'crf': str(self._crf),
            'x264-params': keys,
        }
        return codec


def load_av() -> Any:
    """PyAV.

    Raises:
        EnvironmentMissing: it is not installed.
    """
    try:
        return importlib.import_module('av')
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            'video needs PyAV: pip install "magma_ros[video]", or store pictures as jpeg'
        ) from error


def video_name(topic: str) -> str:
    """Where the video of a topic of pictures is found."""
    return f'{topic}{VIDEO_SUFFIX}'


def video_topic(topic: RecordedTopic) -> RecordedTopic:
    """What a bag says about the video of a topic of pictures."""
    name = video_name(topic.name)
    return RecordedTopic(name, COMPRESSED_VIDEO, DEFINITION, TYPE_HASH, topic.qos_yaml)
