"""How the topics of an episode came in: rates, gaps, and stamps against arrivals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from magma_ros.dataset.checks.finding import Finding
from magma_ros.dataset.features.mapping import Mapping
from magma_ros.dataset.features.sampling import STRING
from magma_ros.dataset.reading.ros_decoding import header_stamp_ns
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.dataset.stream_health import GAP_PERIODS, LEAST_GAP_S, REGULAR

FAR_SKEW_S, SKEW_BETWEEN_S = 0.5, 0.1  # of one stream against its arrival; between two streams
LOST_SHARE, MANY_LOST_SHARE = 0.01, 0.1  # docs/data.md


@dataclass
class TopicFigures:
    """Of one topic; a few numbers however long the episode is."""

    type_name: str
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    longest_gap_ns: int = 0
    missed: float = 0.0  # messages that would fit into the gaps
    skew_sum_ns: int = 0
    skew_least_ns: int | None = None
    skew_most_ns: int | None = None
    stamps_back: int = 0
    last_stamp_ns: int = 0
    usual_ns: float = 0.0  # period, smoothed

    def add(self, message: StreamMessage) -> None:
        """Take a message into account."""
        at_ns = message.log_ns
        if not self.count:
            self.first_ns = at_ns
        else:
            self._add_period(at_ns - self.last_ns)
        self.count, self.last_ns = self.count + 1, at_ns
        if self.type_name in REGULAR:
            self._add_stamp(header_stamp_ns(message), at_ns)

    def _add_period(self, period_ns: int) -> None:
        self.longest_gap_ns = max(self.longest_gap_ns, period_ns)
        is_gap = period_ns > max(LEAST_GAP_S * 1e9, GAP_PERIODS * self.usual_ns)
        if self.count > 20 and is_gap:
            self.missed += period_ns / max(self.usual_ns, 1.0) - 1.0
        else:
            share = max(0.02, 1.0 / self.count)
            self.usual_ns += share * (period_ns - self.usual_ns)

    def _add_stamp(self, stamp_ns: int, at_ns: int) -> None:
        skew_ns = at_ns - stamp_ns
        self.skew_sum_ns += skew_ns
        self.skew_least_ns = min(skew_ns, self.skew_least_ns if self.skew_least_ns else skew_ns)
        self.skew_most_ns = max(skew_ns, self.skew_most_ns if self.skew_most_ns else skew_ns)
        self.stamps_back += stamp_ns < self.last_stamp_ns
        self.last_stamp_ns = stamp_ns

    @property
    def rate_hz(self) -> float:
        """From the first message to the last."""
        span_ns = self.last_ns - self.first_ns
        return (self.count - 1) * 1e9 / span_ns if span_ns > 0 else 0.0

    @property
    def mean_skew_s(self) -> float:
        """Arrival after the stamp."""
        return self.skew_sum_ns / max(self.count, 1) * 1e-9

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        return {
            'type': self.type_name,
            'count': self.count,
            'hz': round(self.rate_hz, 3),
            'longest_gap_s': round(self.longest_gap_ns * 1e-9, 4),
            'missed': round(self.missed, 1),
            'skew_s': round(self.mean_skew_s, 4),
            'stamps_back': self.stamps_back,
        }


class StreamFigures:
    """Of all topics of an episode, gathered while they are read."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self.topics: dict[str, TopicFigures] = {}

    def watch(self, messages: Iterable[StreamMessage]) -> Iterator[StreamMessage]:
        """The same messages."""
        for message in messages:
            if message.topic not in self.topics:
                self.topics[message.topic] = TopicFigures(message.type_name)
            self.topics[message.topic].add(message)
            yield message

    @property
    def duration_s(self) -> float:
        """From the first message to the last, sentences aside."""
        regular = [one for one in self.topics.values() if one.type_name != STRING]
        if not regular:
            return 0.0
        last_ns = max(one.last_ns for one in regular)
        return (last_ns - min(one.first_ns for one in regular)) * 1e-9

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the streams."""
        yield from self._missing()
        for topic, figures in self.topics.items():
            if figures.type_name in REGULAR:
                yield from _of_topic(topic, figures)
        skews = {
            topic: figures.mean_skew_s
            for topic, figures in self.topics.items()
            if figures.type_name in REGULAR
        }
        if skews and max(skews.values()) - min(skews.values()) > SKEW_BETWEEN_S:
            late, early = max(skews, key=skews.__getitem__), min(skews, key=skews.__getitem__)
            apart_s = skews[late] - skews[early]
            text = f'{late} arrives {apart_s:.2f} s later after its stamps than {early}'
            yield Finding('skew', 'flag', text)

    def _missing(self) -> Iterator[Finding]:
        mapping = self._mapping
        for camera in mapping.cameras:
            if not any(topic in self.topics for topic in camera.topics):
                text = f'{camera.topic} is not in the bag, nor is {camera.topics[1]}'
                yield Finding('topics', 'fault', text)
        if mapping.joint_states not in self.topics:
            yield Finding('topics', 'fault', f'{mapping.joint_states} is not in the bag')
        for topic in (mapping.instruction_topic, mapping.chunk_topic):
            if topic and topic not in self.topics:
                yield Finding('topics', 'note', f'{topic} is not in the bag')


def _of_topic(topic: str, figures: TopicFigures) -> Iterator[Finding]:
    share = figures.missed / max(figures.count + figures.missed, 1.0)
    if share > LOST_SHARE:
        longest_s = figures.longest_gap_ns * 1e-9
        text = f'{topic} lacks {100 * share:.1f} % of its messages, at most {longest_s:.2f} s long'
        yield Finding('gaps', 'fault' if share > MANY_LOST_SHARE else 'flag', text)
    elif figures.missed:
        text = f'{topic} has a gap of {figures.longest_gap_ns * 1e-9:.2f} s'
        yield Finding('gaps', 'note', text)
    if abs(figures.mean_skew_s) > FAR_SKEW_S:
        text = (
            f'{topic} arrives {figures.mean_skew_s:.2f} s after its stamps: another clock, or one '
            'that is wrong'
        )
        yield Finding('skew', 'fault', text)
    if figures.stamps_back:
        text = f'{topic}: {figures.stamps_back} stamps are older than the one before'
        yield Finding('skew', 'flag', text)
