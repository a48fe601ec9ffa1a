"""Parameters of the recorder; config/recorder.yaml says why they are what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from magma_ros.dataset.episode_folders import checked_name
from magma_ros.dataset.features.mapping import load_mapping
from magma_ros.dataset.picture_conversion import PictureKind, PictureSettings
from magma_ros.dataset.recording_session import RecordingSettings
from magma_ros.dataset.stream_health import HealthLimits
from magma_ros.dataset.video_compression import load_av
from magma_ros.errors import ConfigurationError
from magma_ros.ros.parameters import parameter
from magma_ros.ros.topics import TOPICS

MB = 1024**2
CHUNKS = ('none', 'plain', 'lz4', 'zstd')
# Published by every node of ROS: what is said, what is set, what the robot is.
OF_ROS = ('/rosout', '/parameter_events', '/robot_description', '/clock')


@dataclass(frozen=True)
class RecorderParameters:
    """See config/recorder.yaml."""

    directory: str = parameter('runs/episodes', 'where episodes go, one folder each')
    name: str = parameter(
        '',
        'of the next episode; empty: the moment (UTC). The same name again gets a number',
        read_only=False,
    )
    arm: str = parameter('wx250s', 'arm profile, a file of config/arms; goes into the bag')
    calibration_file: str = parameter('', 'goes into the bag; empty: /tf_static is all there is')
    mapping: str = parameter('', 'of config/mappings, or a .yaml; its topics are recorded, too')
    extra_topics: str = parameter('', 'recorded beside those of the README; commas')
    left_out: str = parameter('', 'topics that are not recorded; commas')
    pictures: str = parameter(
        'as_is', 'how raw pictures are stored', choices=get_args(PictureKind)
    )
    jpeg_quality: int = parameter(95, 'of stored pictures', '', 50, 100)
    video_crf: int = parameter(18, 'of stored video: x264, 0 is the best', '', 0, 51)
    chunks: str = parameter(
        'plain', 'compression of finished bags; none: no index either', choices=CHUNKS
    )
    pre_trigger_s: float = parameter(5.0, 'of the past an episode begins with', 's', 0.0, 60.0)
    pre_trigger_mb: int = parameter(512, 'memory for it', 'MB', 0, 16384)
    queue_mb: int = parameter(256, 'memory for what waits for the disk', 'MB', 16, 16384)
    disk_warn_gb: float = parameter(5.0, 'less room: a warning, no new episode', 'GB', 0.0, 1000.0)
    disk_stop_gb: float = parameter(0.5, 'less room ends the episode', 'GB', 0.0, 1000.0)
    skew_s: float = parameter(0.5, 'between stamp and arrival, more is a warning', 's', 0.01, 60.0)
    frozen_s: float = parameter(1.0, 'equal pictures, longer is a warning; 0: never', 's', 0, 60.0)
    required: bool = parameter(True, 'a recorder that fails asks the controller to hold')

    def wanted_topics(self) -> list[str]:
        """Names of all that is recorded.

        Raises:
            ConfigurationError: something is left out that is not there, or there is no such
                mapping.
        """
        mapped = load_mapping(self.mapping).recorded_topics if self.mapping else ()
        names = [*(topic.name for topic in TOPICS), *OF_ROS, *mapped, *_split(self.extra_topics)]
        left_out = _split(self.left_out)
        unknown = sorted(set(left_out) - set(names))
        if unknown:
            raise ConfigurationError(
                f'left_out names {", ".join(unknown)}, which would not be recorded anyway; '
                f'recorded are {", ".join(sorted(names))}'
            )
        return list(dict.fromkeys(name for name in names if name not in left_out))

    def picture_settings(self) -> PictureSettings:
        """How pictures are stored.

        Raises:
            EnvironmentMissing: video, and PyAV is not installed.
        """
        if self.pictures == 'video':
            load_av()
        return PictureSettings(self.pictures, self.jpeg_quality, self.video_crf)  # type: ignore[arg-type]

    def settings(self, is_sim_time: bool = False) -> RecordingSettings:
        """Bounds and limits; stamps of a simulated clock are compared with nothing.

        Raises:
            ConfigurationError: limits of the disk that contradict each other.
            RecordingError: a name that is more than a name.
        """
        if self.name:
            checked_name(self.name)
        if self.disk_stop_gb > self.disk_warn_gb:
            raise ConfigurationError(
                f'disk_stop_gb {self.disk_stop_gb} is more than disk_warn_gb {self.disk_warn_gb}; '
                'the warning comes first'
            )
        return RecordingSettings(
            self.pre_trigger_s,
            self.pre_trigger_mb * MB,
            self.queue_mb * MB,
            self.disk_warn_gb,
            self.disk_stop_gb,
            HealthLimits(math.inf if is_sim_time else self.skew_s, self.frozen_s),
        )


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(',') if name.strip()]
