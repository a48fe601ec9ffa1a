"""Videos in a stream of messages as the pictures they were: nobody behind it knows videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from magma_ros.dataset.image_compression import IMAGE, rgb_image
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO
from magma_ros.dataset.video_reading import VideoDecoder, read_video_message
from magma_ros.errors import RecordingError


class VideoUnfolder:
    """Decodes the videos of one bag. Give it the messages of each topic in their order."""

    def __init__(self) -> None:
        self._decoders: dict[str, VideoDecoder] = {}

    def unfold(self, topic: str, message: bytes) -> bytes | None:
        """A serialised Image for a CompressedVideo; None before the first key picture.

        Raises:
            RecordingError: it cannot be decoded.
            EnvironmentMissing: PyAV is not installed.
        """
        if topic not in self._decoders:
            self._decoders[topic] = VideoDecoder()
        video = read_video_message(message)
        rgb = self._decoders[topic].decode(video.packet)
        return None if rgb is None else rgb_image(video.header, rgb)


def unfold_videos(messages: Iterable[StreamMessage]) -> Iterator[StreamMessage]:
    """The messages, those of videos as raw pictures of the same topic, stamp and frame.

    What precedes the first key picture of a video is left out: nobody can decode it.

    Raises:
        RecordingError: a video that cannot be decoded; names file and byte.
        EnvironmentMissing: there is a video, and PyAV is not installed.
    """
    videos = VideoUnfolder()
    for message in messages:
        if message.type_name != COMPRESSED_VIDEO:
            yield message
            continue
        try:
            image = videos.unfold(message.topic, message.data)
        except RecordingError as error:
            raise RecordingError(f'{message.where}: {message.topic}: {error}') from error
        if image is not None:
            yield replace(message, type_name=IMAGE, data=image)
