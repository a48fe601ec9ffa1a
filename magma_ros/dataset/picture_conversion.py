"""How pictures are stored: as they came, or each as JPEG, PNG or a part of a video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from magma_ros.dataset.image_compression import compress_image, read_image
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.video_compression import VideoEncoder, video_topic
from magma_ros.errors import RecordingError

PictureKind = Literal['as_is', 'jpeg', 'png', 'video']


@dataclass(frozen=True)
class PictureSettings:
    """See config/recorder.yaml."""

    kind: PictureKind = 'as_is'
    jpeg_quality: int = 95
    video_crf: int = 18


class PictureConverter:
    """Of one episode: a video begins with it.

    Args:
        settings: how pictures are stored.
        pictures: the topics that are converted by name, each with that of its single compressed
            pictures; may grow.
    """

    def __init__(
        self,
        settings: PictureSettings | None = None,
        pictures: Mapping[str, tuple[RecordedTopic, RecordedTopic]] | None = None,
    ) -> None:
        self._settings, self._pictures = settings or PictureSettings(), pictures or {}
        self._encoders: dict[str, VideoEncoder] = {}
        self.refused: dict[str, str] = {}  # by topic: why pictures are stored as they came

    def convert(self, arrival: Arrival) -> tuple[RecordedTopic | Arrival, ...]:
        """What is written for a message: itself, or topic and message that stand for it."""
        if arrival.topic not in self._pictures:
            return (arrival,)
        topic, compressed = self._pictures[arrival.topic]
        try:
            return self._compress(arrival, topic, compressed)
        except RecordingError as error:
            self.refused[arrival.topic] = f'{error}; stored as it came'
            return topic, arrival

    def _compress(
        self, arrival: Arrival, topic: RecordedTopic, compressed: RecordedTopic
    ) -> tuple[RecordedTopic | Arrival, ...]:
        picture, settings = read_image(arrival), self._settings
        if settings.kind == 'video' and picture.pixels.dtype == np.uint8:
            if topic.name not in self._encoders:
                self._encoders[topic.name] = VideoEncoder(settings.video_crf)
            return video_topic(topic), self._encoders[topic.name].compress(arrival, picture)
        kind: Literal['jpeg', 'png'] = 'jpeg' if settings.kind == 'jpeg' else 'png'
        return compressed, compress_image(arrival, picture, kind, settings.jpeg_quality)
