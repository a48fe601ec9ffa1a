"""Episodes one after the other: begins, ends and labels them, and watches how they come in.

Free of ROS. :meth:`RecordingSession.take` is called with all that arrives, recording or not; one
thread calls everything here. ``now_ns`` is on the system clock.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from magma_ros.dataset.episode_folders import EpisodeFolders
from magma_ros.dataset.episode_record import EpisodeRecord, write_record
from magma_ros.dataset.picture_conversion import PictureConverter
from magma_ros.dataset.pre_trigger import PreTrigger
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.running_episode import Context, RunningEpisode
from magma_ros.dataset.stream_health import REMEMBER_S, HealthLimits, Problem, StreamHealth
from magma_ros.errors import DiskError, RecordingError
from magma_ros.motion.clock_watch import ClockWatch

GB = 1e9


@dataclass(frozen=True)
class RecordingSettings:
    """See config/recorder.yaml."""

    pre_trigger_s: float = 5.0
    pre_trigger_bytes: int = 512 * 1024**2
    queue_bytes: int = 256 * 1024**2
    disk_warn_gb: float = 5.0
    disk_stop_gb: float = 0.5
    health: HealthLimits = field(default_factory=HealthLimits)


class RecordingSession:
    """See the module.

    Args:
        folders: of the episodes.
        settings: bounds and limits.
        describe: asked for the context when an episode begins and when it ends.
        make_converter: what converts the pictures of one episode; used in the writing thread.
        when_ended: called with the folder of each episode that has ended.
    """

    def __init__(
        self,
        folders: EpisodeFolders,
        settings: RecordingSettings,
        describe: Callable[[], Context] = Context,
        make_converter: Callable[[], PictureConverter] = PictureConverter,
        when_ended: Callable[[Path], None] = lambda folder: None,
    ) -> None:
        self._folders, self._settings = folders, settings
        self._describe, self._when_ended = describe, when_ended
        self._make_converter = make_converter
        self._topics: dict[str, RecordedTopic] = {}
        self._converted: set[str] = set()
        self._health: dict[str, StreamHealth] = {}
        self._ring = PreTrigger(settings.pre_trigger_s, settings.pre_trigger_bytes)
        self._clock = ClockWatch()
        self._episode: RunningEpisode | None = None
        self.last: Path | None = None  # the newest episode that has ended
        self._last_record: EpisodeRecord | None = None
        self.fault: RecordingError | None = None  # what ended the newest episode early

    # -------------------------------------------------------------------------- what comes in

    def add_topic(self, topic: RecordedTopic, is_converted: bool = False) -> None:
        """Make a topic known. What is converted has another name in the bag, if it goes well."""
        self._topics[topic.name] = topic
        self._health[topic.name] = StreamHealth(topic, self._settings.health)
        if is_converted:
            self._converted.add(topic.name)
        elif self._episode is not None:
            self._episode.put([topic])

    def take(self, arrivals: Iterable[tuple[Arrival, int]]) -> None:
        """Messages in the order of their arrival, each with how many before it were lost."""
        batch = []
        for arrival, lost in arrivals:
            self._health[arrival.topic].note(arrival, lost)
            if self._topics[arrival.topic].is_latched:
                self._ring.add_latched(arrival)
            batch.append(arrival)
        if self._episode is not None:
            self._episode.put(batch)
        else:
            for arrival in batch:
                self._ring.add(arrival)

    # ------------------------------------------------------------------------------- episodes

    @property
    def is_recording(self) -> bool:
        """Whether an episode is being written."""
        return self._episode is not None

    @property
    def record(self) -> EpisodeRecord | None:
        """Of the present episode, or of the last one."""
        return self._episode.record if self._episode is not None else self._last_record

    def start(self, now_ns: int, name: str = '') -> Path:
        """Begin an episode, with what the ring buffer holds; its folder.

        Raises:
            RecordingError: one is being recorded, or the name is impossible.
            DiskError: too little room, or no writing.
        """
        if self._episode is not None:
            raise RecordingError(f'{self._episode.folder} is being recorded; stop it first')
        folder = self._folders.new_folder(name, now_ns)
        free_gb, settings = self.free_gb(), self._settings
        if free_gb < settings.disk_warn_gb:
            raise DiskError(
                f'{folder.parent} has {free_gb:.1f} GB left; to begin an episode disk_warn_gb '
                f'asks for {settings.disk_warn_gb:.1f} GB. Make room, or lower it'
            )
        queue_bytes = settings.queue_bytes + self._ring.size  # the past must not crowd out the now
        episode = RunningEpisode(
            folder, self._describe(), now_ns, queue_bytes, self._make_converter()
        )
        episode.put(topic for name, topic in self._topics.items() if name not in self._converted)
        episode.put(self._ring.take(now_ns))
        for topic in self._topics.values():
            self._health[topic.name] = StreamHealth(topic, settings.health)
        self._episode, self.fault = episode, None
        return folder

    def stop(self, now_ns: int, ended_by: str = 'operator') -> Path:
        """End the episode and keep it; its folder. ``fault`` says whether that went well.

        Raises:
            RecordingError: nothing is recorded.
        """
        episode = self._episode
        if episode is None:
            raise RecordingError('nothing is being recorded; start first')
        self._episode = None
        if episode.fault is not None:
            ended_by = reason_of(episode.fault)
        topics = {name: health.counts() for name, health in self._health.items()}
        self.fault = episode.finish(now_ns, ended_by, topics, self._describe().values)
        self.last, self._last_record = episode.folder, episode.record
        if self.fault is None:
            self._when_ended(self.last)
        return self.last

    def label(self, success: bool) -> Path:
        """Say how the present or the last episode went; its folder."""
        return self._change(lambda record: replace(record, success=success))

    def note(self, now_ns: int, text: str) -> Path:
        """Add what the operator has to say to the present or the last episode; its folder."""
        return self._change(lambda record: record.with_note(now_ns, text))

    def discard(self, now_ns: int) -> Path:
        """Put the present or the last episode aside; nothing is deleted. Its new place."""
        if self._episode is not None:
            self.stop(now_ns)
        folder = self._change(lambda record: replace(record, discarded=True))
        if folder.parent == self._folders.root:
            self.last = self._folders.discard(folder)
        return self.last or folder

    def keep(self, now_ns: int) -> Path:
        """End the present episode and keep it, or bring the discarded last one back."""
        if self._episode is not None:
            return self.stop(now_ns)
        folder = self._change(lambda record: replace(record, discarded=False))
        if folder.parent != self._folders.root:
            self.last = self._folders.keep(folder)
        return self.last or folder

    def close(self, now_ns: int) -> None:
        """End what is being recorded, and leave the folder to others."""
        if self._episode is not None:
            self.stop(now_ns, 'shutdown')
        self._folders.close()

    # --------------------------------------------------------------------------------- health

    def look(self, now_ns: int, now_s: float, others: Iterable[Problem] = ()) -> list[Problem]:
        """What is wrong now; call it every second. Ends the episode before the disk is full.

        Args:
            now_ns: on the system clock.
            now_s: on the monotonic clock, which nobody sets.
            others: what else is wrong, for the record.
        """
        self._clock.note(now_s, now_ns)
        for health in self._health.values():
            health.measure_rate(now_ns)
        problems = [one for health in self._health.values() for one in health.problems(now_ns)]
        problems += others
        free_gb = self.free_gb()
        if free_gb < self._settings.disk_warn_gb:
            problems.append(Problem('', 'disk', f'{free_gb:.1f} GB left on the disk'))
        jumped_s = self._clock.jumped_s
        if jumped_s is not None and now_s - jumped_s < REMEMBER_S:
            problems.append(Problem('', 'clock', 'the system clock was set; stamps do not agree'))
        episode = self._episode
        if episode is not None:
            problems += episode.problems()
            episode.warn(problems, now_ns)
            if episode.fault is not None:
                self.stop(now_ns)
            elif free_gb < self._settings.disk_stop_gb:
                self.stop(now_ns, 'DISK')
                self.fault = DiskError(
                    f'{free_gb:.2f} GB are left of {self._folders.root}; the episode was ended '
                    'while there was room to do so. Make room, then record again'
                )
        return problems

    def free_gb(self) -> float:
        """Room on the disk; 0 where it is gone."""
        try:
            return shutil.disk_usage(self._folders.root).free / GB
        except OSError:
            return 0.0

    def rates_hz(self) -> dict[str, float]:
        """Messages per second of each topic, as of the last look."""
        return {name: health.rate_hz for name, health in self._health.items()}

    def progress(self, now_ns: int) -> dict[str, Any]:
        """Figures of the present episode."""
        return {} if self._episode is None else self._episode.progress(now_ns)

    def _change(self, change: Callable[[EpisodeRecord], EpisodeRecord]) -> Path:
        """Change the record of the present or the last episode; its folder."""
        if self._episode is not None:
            self._episode.record = change(self._episode.record)
            return self._episode.folder
        if self.last is None or self._last_record is None:
            raise RecordingError('there is no episode yet; start first')
        self._last_record = change(self._last_record)
        write_record(self.last, self._last_record)
        return self.last


def reason_of(error: RecordingError) -> str:
    """The reason code the controller hears (motion/reason_codes.py)."""
    return 'DISK' if isinstance(error, DiskError) else 'RECORDER'
