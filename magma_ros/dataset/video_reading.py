"""Videos of a bag as pictures again, each with the stamp it had (``video_compression.py``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magma_ros.dataset.bag_reader import read_messages
from magma_ros.dataset.cdr import CdrReader
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO, load_av
from magma_ros.errors import RecordingError

LARGEST_PX = 64 * 1024**2
START_CODE, SEQUENCE_PARAMETERS = b'\0\0\0\1', 7  # Annex B, and the unit a key begins with


@dataclass(frozen=True)
class VideoMessage:
    """The fields of a CompressedVideo."""

    header: bytes  # stamp and frame_id as they came, CDR
    stamp_ns: int
    packet: bytes  # H.264, Annex B


@dataclass(frozen=True)
class VideoFrame:
    """One picture; times in nanoseconds."""

    stamp_ns: int  # of the camera
    log_ns: int  # of the arrival
    rgb: NDArray[np.uint8]


def read_video(bag: Path, topic: str) -> Iterator[VideoFrame]:
    """The pictures of a video topic, from its first key picture on.

    Raises:
        RecordingError: damage, or no such topic; names file and byte, or the topic.
        EnvironmentMissing: PyAV is not installed.
    """
    decoder, count = VideoDecoder(), 0
    for message in read_messages(bag):
        if message.topic != topic or message.schema.name != COMPRESSED_VIDEO:
            continue
        count += 1
        video = read_video_message(message.data)
        rgb = decoder.decode(video.packet)
        if rgb is not None:
            yield VideoFrame(video.stamp_ns, message.log_ns, rgb)
    if not count:
        raise RecordingError(f'{bag} has no video {topic}; magma bags info shows its topics')


class VideoDecoder:
    """Of one topic, from a key picture on. Give it the packets in their order."""

    def __init__(self) -> None:
        self._av = load_av()
        self._codec = self._av.CodecContext.create('h264', 'r')
        self._codec.thread_count = 1
        self._codec.options = {'max_pixels': str(LARGEST_PX)}
        self._has_key = False

    def decode(self, packet: bytes) -> NDArray[np.uint8] | None:
        """RGB pixels; None before the first key picture.

        Raises:
            RecordingError: not H.264, or more pixels than a camera has.
        """
        self._has_key = self._has_key or _is_key(packet)
        if not self._has_key:
            return None
        try:
            frames = self._codec.decode(self._av.Packet(packet))
        except self._av.FFmpegError as error:
            raise RecordingError(f'a video that cannot be decoded ({error})') from error
        if len(frames) != 1:
            raise RecordingError(f'a message of a video with {len(frames)} pictures, not one')
        return frames[0].to_ndarray(format='rgb24')


def is_key_picture(message: bytes) -> bool:
    """Whether decoding can begin at this message; never at one that is no H.264."""
    try:
        return _is_key(read_video_message(message).packet)
    except RecordingError:
        return False


def read_video_message(message: bytes) -> VideoMessage:
    """The fields of a serialised CompressedVideo.

    Raises:
        RecordingError: no such message, or another kind of video.
    """
    try:
        fields = CdrReader(message)
        seconds, nanoseconds = fields.numbers(2)
        fields.octets()  # the frame
        header = bytes(fields.body[: fields.at])
        data = bytes(fields.octets())
        kind = fields.text()
    except (struct.error, ValueError) as error:
        raise RecordingError(f'no {COMPRESSED_VIDEO} ({error})') from error
    if kind != 'h264':
        raise RecordingError(f'a video of the format {kind[:20]!r}; only h264 is decoded')
    return VideoMessage(header, seconds * 1_000_000_000 + nanoseconds, data)


def _is_key(packet: bytes) -> bool:
    unit = packet[4:5] if packet.startswith(START_CODE) else packet[3:4]
    return bool(unit) and unit[0] & 0x1F == SEQUENCE_PARAMETERS
