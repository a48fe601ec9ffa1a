"""Videos in a stream of messages as the pictures they were: nobody behind it knows videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from magma_ros.dataset.image_compression import IMAGE, rgb_image
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO
from magma_ros.dataset.video_reading import VideoDecoder, read_video_message
from magma_ros.errors import RecordingError


def unfold_videos(messages: Iterable[StreamMessage]) -> Iterator[StreamMessage]:
    """The messages, those of videos as raw pictures of the same topic, stamp and frame.

    What precedes the first key picture of a video is left out: nobody can decode it.

    Raises:
        RecordingError: a video that cannot be decoded; names file and byte.
        EnvironmentMissing: there is a video, and PyAV is not installed.
    """
    decoders: dict[str, VideoDecoder] = {}
    for message in messages:
        if message.type_name != COMPRESSED_VIDEO:
            yield message
            continue
        if message.topic not in decoders:
            decoders[message.topic] = VideoDecoder()
        try:
            video = read_video_message(message.data)
            rgb = decoders[message.topic].decode(video.packet)
        except RecordingError as error:
            raise RecordingError(f'{message.where}: {message.topic}: {error}') from error
        if rgb is not None:
            yield replace(message, type_name=IMAGE, data=rgb_image(video.header, rgb))
