"""One episode from its bag to a staged folder, in one pass over its messages."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from magma_ros.dataset.actions.steps import Exclusion, Step, make_steps
from magma_ros.dataset.checks.episode_figures import EpisodeFigures
from magma_ros.dataset.checks.finding import Finding, grade
from magma_ros.dataset.checks.stream_figures import StreamFigures
from magma_ros.dataset.episode_record import EpisodeRecord, read_record
from magma_ros.dataset.export.conversion_rules import ConversionRules
from magma_ros.dataset.export.frame_files import (
    Frames,
    JpegFrames,
    MeasuredFrames,
    VideoFrames,
    encode_jpeg,
)
from magma_ros.dataset.export.staged_episode import ABOUT, FIRST, STEPS, StepRows, hash_file
from magma_ros.dataset.export.trace_files import write_trace
from magma_ros.dataset.features.sampling import sample_stream
from magma_ros.dataset.features.trace_labels import with_labels
from magma_ros.dataset.reading.bag_folder import BagFolder
from magma_ros.dataset.reading.message_stream import MessageStream
from magma_ros.dataset.reading.segments import Segment
from magma_ros.errors import RecordingError

LEAST_STEPS = 2


@dataclass(frozen=True)
class EpisodeJob:
    """What one process is asked to do."""

    bag: BagFolder
    segment: Segment
    rules: ConversionRules
    name: str  # of the episode, unique in the dataset

    def key(self) -> str:
        """Names the staged folder: the same for the same bag, part, rules and software."""
        return self.rules.digest(self.bag.fingerprint(), repr(self.segment), self.name)[:32]


def convert_episode(job: EpisodeJob, staging: Path) -> Path:
    """Convert, and rename the result into place at the end; its folder. Again: nothing.

    An episode that cannot be used is staged, too, without steps: ``about.json`` says why.

    Raises:
        RecordingError: a disk error, or this machine sees other files than the one that asks;
            whatever is wrong with the bag goes into ``about.json``.
    """
    _check_seen(staging, job.bag.path)
    cv2.setNumThreads(1)
    done = staging / job.key()
    if done.is_dir():
        return done
    folder = staging / f'{done.name}.new'
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    about = _EpisodePass(job, folder).run()
    (folder / ABOUT).write_text(json.dumps(about, sort_keys=True), encoding='utf-8')
    return folder.rename(done)


def _check_seen(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise RecordingError(
                f'{path} is not there on {platform.node()}; bags and output must be where all '
                'machines that convert see them, under the same path'
            )


def check_episode(job: EpisodeJob) -> dict[str, Any]:
    """What is known of an episode after one pass over it, without writing any picture."""
    return _EpisodePass(job, None).run()


class _EpisodePass:
    """Holds what grows while the messages go by; ``folder`` None: nothing is written."""

    def __init__(self, job: EpisodeJob, folder: Path | None) -> None:
        rules = job.rules
        self._job, self._folder, self._rules = job, folder, rules
        self._profile = rules.mapping.profile()
        period_s = 1.0 / rules.sampling.rate_hz
        self._streams = StreamFigures(rules.mapping)
        self._figures = EpisodeFigures(self._profile.limits, period_s)
        self._frames = MeasuredFrames(_make_frames(rules, folder))
        self._rows = StepRows()
        self._exclusions: list[Exclusion] = []
        self._notes: list[str] = []
        self._error = ''

    def run(self) -> dict[str, Any]:
        """The contents of ``about.json``."""
        record = None
        try:
            record = read_record(self._job.bag.path) if self._job.bag.path.is_dir() else None
            self._convert()
        except RecordingError as error:
            self._error = str(error)
        findings = [] if self._error else list(self._findings())
        reason = self._reason(record, findings)
        if self._folder is not None:
            self._rows.write(self._folder)
            first = self._figures.first_picture
            if first is not None:
                (self._folder / FIRST).write_bytes(encode_jpeg(first, self._rules.jpeg_quality))
        return {
            'name': self._job.name,
            'bag': self._job.bag.name,
            'part': asdict(self._job.segment),
            'steps': len(self._rows),
            'duration_s': round(self._streams.duration_s, 3),
            'success': record.success if record else None,
            'notes': [*self._notes, *(text for _, text in (record.notes if record else ()))],
            'grade': 'D' if self._error else grade(findings),
            'findings': [asdict(finding) for finding in findings],
            'excluded': reason,
            'exclusions': list(_ranges(self._exclusions)),
            'streams': {name: one.to_json() for name, one in self._streams.topics.items()},
            'figures': self._figures.to_json(),
            'colours': {name: one.to_json() for name, one in self._frames.statistics.items()},
            'content': self._content(),
        }

    def _convert(self) -> None:
        rules, job = self._rules, self._job
        stream = MessageStream(job.bag, rules.mapping.topics, rules.despite_damage, self._notes)
        messages = self._streams.watch(job.segment.cut(stream))
        sampling = replace(rules.sampling, keeps_camera_pictures=rules.with_traces)
        samples = sample_stream(messages, rules.mapping, self._profile, sampling)
        if rules.with_traces:
            samples = with_labels(samples, rules.mapping.cameras[0].name)
        items = make_steps(self._figures.watch_samples(samples), rules.convention, rules.no_ops)
        try:
            for item in self._figures.watch_steps(items):
                if isinstance(item, Exclusion):
                    self._exclusions.append(item)
                else:
                    self._add(item)
        finally:
            self._frames.close()

    def _add(self, step: Step) -> None:
        pictures = {name: picture.rgb for name, picture in step.sample.pictures.items()}
        self._frames.add(len(self._rows), pictures)
        if step.sample.labels is not None and self._folder is not None:
            write_trace(self._folder, len(self._rows), step.sample, self._rules.jpeg_quality)
        self._rows.add(step)

    def _findings(self) -> Iterator[Finding]:
        yield from self._streams.findings()
        yield from self._figures.findings()
        yield from (Finding('files', 'flag', note) for note in self._notes)

    def _reason(self, record: EpisodeRecord | None, findings: list[Finding]) -> str:
        """Why the whole episode is left out; empty: it is not."""
        if self._error:
            return self._error
        if record is not None and record.discarded:
            return 'discarded by the operator'
        if record is not None and record.success is False and not self._rules.with_failures:
            return 'a failure, says the operator; --failures takes those, too'
        if len(self._rows) < LEAST_STEPS:
            return f'{len(self._rows)} steps are left; at least {LEAST_STEPS} make an episode'
        if grade(findings) > self._rules.worst_grade:
            worst = next(one for one in findings if one.severity in ('fault', 'flag'))
            return f'grade {grade(findings)}: {worst.text}'
        return ''

    def _content(self) -> str:
        """The same for two episodes with the same numbers in them."""
        if self._folder is None or not len(self._rows):
            return ''
        return hash_file(self._folder / STEPS)


class _NoFrames:
    """Writes nothing."""

    def add(self, index: int, pictures: Any) -> None:
        """As :class:`Frames`."""

    def close(self) -> None:
        """As :class:`Frames`."""


def _make_frames(rules: ConversionRules, folder: Path | None) -> Frames:
    if folder is None:
        return _NoFrames()
    if rules.format == 'lerobot':
        return VideoFrames(folder, round(rules.sampling.rate_hz))
    return JpegFrames(folder, rules.jpeg_quality)


def _ranges(exclusions: list[Exclusion]) -> Iterator[dict[str, Any]]:
    """Exclusions of the same reason that follow each other, together."""
    start: Exclusion | None = None
    count, last_ns = 0, 0
    for one in [*exclusions, None]:
        if start is not None and (one is None or one.reason != start.reason):
            yield {
                'from_ns': start.time_ns,
                'to_ns': last_ns,
                'count': count,
                'reason': start.reason,
            }
            start, count = None, 0
        if one is not None:
            start, count, last_ns = start or one, count + 1, one.time_ns


def name_hash(name: str) -> float:
    """0..1, always the same for a name: what splits are made of."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big') / 2.0**64
