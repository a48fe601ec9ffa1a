"""One episode while it is recorded: the file, the thread that writes, what is known."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from magma_ros.dataset.episode_record import EPISODE_FILE, EpisodeRecord, write_record
from magma_ros.dataset.episode_writer import EpisodeWriter
from magma_ros.dataset.intervention_labels import InterventionLabels
from magma_ros.dataset.picture_conversion import PictureConverter
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.stream_health import Problem
from magma_ros.dataset.write_thread import WriteThread
from magma_ros.errors import RecordingError


@dataclass(frozen=True)
class Context:
    """What belongs into every bag besides messages."""

    values: dict[str, Any] = field(default_factory=dict)
    files: tuple[tuple[str, str, bytes], ...] = ()  # name, media type, content


class RunningEpisode:
    """A bag that grows.

    Args:
        folder: new, of the episode.
        context: of the moment.
        now_ns: when it begins.
        queue_bytes: what may wait for the disk.
        converter: of pictures; used in the writing thread.

    Raises:
        RecordingError: the folder exists or cannot be written.
        DiskError: the disk is full, read-only or gone.
    """

    def __init__(
        self,
        folder: Path,
        context: Context,
        now_ns: int,
        queue_bytes: int,
        converter: PictureConverter,
    ) -> None:
        self.folder = folder
        self.record = EpisodeRecord(uuid.uuid4().hex, now_ns, context=context.values)
        self._labels = InterventionLabels()
        self._warned: dict[str, str] = {}  # the first text of each kind and topic
        self._writer = EpisodeWriter(folder)
        try:
            write_record(folder, self.record, is_final=False)
            self._writer.note('magma_context', _as_strings(context.values))
            for name, media_type, content in context.files:
                self._writer.attach(name, media_type, content, now_ns)
        except RecordingError:
            self._writer.close()
            raise
        self._converter = converter
        self._thread = WriteThread(self._writer, queue_bytes, converter.convert)

    @property
    def fault(self) -> RecordingError | None:
        """Why nothing can be written any more."""
        return self._thread.fault

    def put(self, work: Iterable[RecordedTopic | Arrival]) -> None:
        """Topics and messages to write; a topic before its first message."""
        work = list(work)
        for item in work:
            if isinstance(item, Arrival):
                self._labels.note(item)
        self._thread.put(work)

    def problems(self) -> list[Problem]:
        """What is wrong with the writing."""
        found = [
            Problem(
                topic,
                'dropped',
                f'{topic}: {count} messages dropped, the disk or the compression is too slow',
            )
            for topic, count in dict(self._thread.dropped).items()
        ]
        found += [
            Problem(topic, 'refused', text)
            for topic, text in dict(self._converter.refused).items()
        ]
        if self._writer.clamped:
            found.append(Problem('', 'clock', 'the clock was set back; times in the bag go on'))
        return found

    def warn(self, problems: Iterable[Problem], now_ns: int) -> None:
        """Keep for the record what was wrong, each kind once."""
        after_s = (now_ns - self.record.started_ns) * 1e-9
        for problem in problems:
            text = f'{problem.kind}, after {after_s:.0f} s: {problem.text}'
            self._warned.setdefault(f'{problem.kind} {problem.topic}', text)

    def progress(self, now_ns: int) -> dict[str, Any]:
        """Figures of now."""
        return {
            'episode': self.folder.name,
            'seconds': (now_ns - self.record.started_ns) * 1e-9,
            'messages': self._writer.summary.message_count,
            'megabytes': self._writer.size * 1e-6,
            'dropped': sum(dict(self._thread.dropped).values()),
        }

    def finish(
        self,
        now_ns: int,
        ended_by: str,
        topics: Mapping[str, dict[str, Any]],
        context: Mapping[str, Any],
    ) -> RecordingError | None:
        """Write what waits, end the bag, and bring ``record`` up to date.

        Args:
            now_ns: when it ended.
            ended_by: a word for the record.
            topics: counts by topic.
            context: newer values of the context.

        Returns:
            What did not work; what was written before is kept all the same.
        """
        self._thread.finish()
        dropped = self._thread.dropped
        self.record = replace(
            self.record,
            ended_ns=now_ns,
            ended_by=ended_by,
            topics={n: {**about, 'dropped': dropped.get(n, 0)} for n, about in topics.items()},
            health=tuple(self._warned.values()),
            clamped=self._writer.clamped,
            interventions=self._labels.labels(),
            context={**self.record.context, **context},
        )
        fault = self.fault
        content = self.record.to_json().encode()
        for step in (
            lambda: self._writer.attach(EPISODE_FILE, 'application/json', content, now_ns),
            self._writer.close,
            lambda: write_record(self.folder, self.record),
        ):
            try:
                step()
            except RecordingError as error:  # of a full disk; try the rest, it is smaller
                fault = fault or error
        return fault


def _as_strings(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
