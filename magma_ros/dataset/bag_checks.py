"""Whether a bag is whole and good: the findings of ``magma bags check``."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from magma_ros.dataset.bag_metadata import METADATA, read_information
from magma_ros.dataset.bag_reader import FileReport, bag_files, report_file
from magma_ros.dataset.episode_record import read_record
from magma_ros.dataset.mcap_scan import Ending, McapScan, RawMessage
from magma_ros.dataset.stream_health import GAP_PERIODS, LEAST_GAP_S, REGULAR
from magma_ros.errors import RecordingError

BLOCK = 1024**2
LEARNED = 20  # messages after which a usual period is known


@dataclass
class TopicFigures:
    """How one topic came in."""

    type_name: str
    times_ns: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)

    @property
    def rate_hz(self) -> float:
        """From the first message to the last."""
        span_ns = self.times_ns[-1] - self.times_ns[0] if self.times_ns else 0
        return (len(self.times_ns) - 1) / (span_ns * 1e-9) if span_ns > 0 else 0.0

    def gaps_s(self) -> list[float]:
        """Pauses of a sensor that are longer than three usual periods."""
        steps = [(b - a) * 1e-9 for a, b in zip(self.times_ns, self.times_ns[1:], strict=False)]
        if self.type_name not in REGULAR or len(steps) < LEARNED:
            return []
        return [step for step in steps if step > max(LEAST_GAP_S, GAP_PERIODS * median(steps))]

    def missing(self) -> int:
        """Messages that were numbered by the recorder and are not in the file."""
        numbers = self.sequences
        if len(set(numbers)) < 2:  # other recorders do not number
            return 0
        return max(0, max(numbers) - min(numbers) + 1 - len(set(numbers)))


def measure_topics(file: Path) -> dict[str, TopicFigures]:
    """Times and numbers of all messages that can be read, by topic."""
    found: dict[str, TopicFigures] = {}
    report = report_file(file)
    summary = report.summary
    times: dict[int, list[RawMessage]] = defaultdict(list)
    with McapScan(file, with_data=False) as scan:
        for item in scan:
            if isinstance(item, RawMessage):
                times[item.channel].append(item)
    for number, channel in summary.channels.items():
        schema = summary.schemas.get(channel.schema_id)
        messages = times.get(number, [])
        found[channel.topic] = TopicFigures(
            schema.name if schema else '',
            sorted(message.log_ns for message in messages),
            [message.sequence for message in messages],
        )
    return found


def check_bag(path: Path) -> list[str]:
    """What is wrong with a bag; empty: nothing.

    Raises:
        RecordingError: it is no bag, or one that is not to be trusted.
    """
    findings = []
    counted = 0
    for file in bag_files(path):
        report = report_file(file)
        counted += report.summary.message_count
        findings += list(_of_file(report))
        for topic, figures in measure_topics(file).items():
            findings += [f'{file.name}: {topic} {text}' for text in _of_topic(figures)]
    if path.is_dir():
        findings += list(_of_folder(path, counted))
    return findings


def _of_file(report: FileReport) -> Iterator[str]:
    name = report.path.name
    for damage in report.damages:
        yield f'{name}, byte {damage.offset}: {damage.what}'
    if report.ending is Ending.UNFINISHED:
        yield (
            f'{name}: unfinished, {report.lost_bytes} bytes of a last record are left; magma bags '
            'repair ends it'
        )
    if not report.damages and (complaint := _check_data_crc(report.path)):
        yield f'{name}: {complaint}'


def _of_topic(figures: TopicFigures) -> Iterator[str]:
    if gaps := figures.gaps_s():
        yield f'has {len(gaps)} gaps, the longest of {max(gaps):.2f} s at {figures.rate_hz:.1f} Hz'
    if missing := figures.missing():
        yield f'lacks {missing} messages of those that were recorded'


def _of_folder(path: Path, counted: int) -> Iterator[str]:
    if not (path / METADATA).is_file():
        yield f'{METADATA} is missing; magma bags repair writes it'
    else:
        said = read_information(path / METADATA).get('message_count')
        if said != counted:
            yield f'{METADATA} says {said} messages, there are {counted}'
    try:
        record = read_record(path)
    except RecordingError as error:
        yield str(error)
        return
    if record is None:
        return
    if not record.ended_ns:
        yield 'episode.json: the episode did not come to its end'
    if record.ended_by in ('DISK', 'RECORDER'):
        yield f'episode.json: ended early by {record.ended_by}'
    for topic, about in record.topics.items():
        for key in ('lost', 'dropped'):
            if about.get(key):
                yield f'episode.json: {topic} {key} {about[key]} messages while recording'
    yield from (f'episode.json: {text}' for text in record.health)


def _check_data_crc(path: Path) -> str:
    """Compare the checksum over all data with the one in the file, if there is one."""
    with McapScan(path, with_data=False) as scan:
        for _ in scan:
            pass
        expected, end = scan.data_crc, scan.data_end
    if not expected or end is None:
        return ''
    crc, left = 0, end
    with path.open('rb') as stream:
        while left > 0 and (block := stream.read(min(BLOCK, left))):
            crc = zlib.crc32(block, crc)
            left -= len(block)
    return '' if crc == expected else 'the checksum over all data is wrong'
