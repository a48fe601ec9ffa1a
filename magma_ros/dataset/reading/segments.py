"""Which parts of a bag are episodes: all of it, between pauses, or between spoken markers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from magma_ros.dataset.reading.bag_folder import BagFolder
from magma_ros.dataset.reading.message_stream import MessageStream
from magma_ros.dataset.reading.ros_decoding import decode
from magma_ros.dataset.reading.stream_message import StreamMessage
from magma_ros.errors import ConfigurationError, RecordingError

By = Literal['bag', 'pause', 'marker']
BY: tuple[By, ...] = get_args(By)
STRING = 'std_msgs/msg/String'
MOST_SEGMENTS = 10_000


@dataclass(frozen=True)
class SegmentRules:
    """What divides a bag.

    Attributes:
        by: ``bag``: it is one episode, as the recorder makes them; ``pause``: nothing arrives for
            ``pause_s``; ``marker``: a std_msgs/String on ``topic`` that says ``begin``, and one
            that says ``end``; the text may go on behind the word.
    """

    by: By = 'bag'
    pause_s: float = 2.0
    topic: str = ''
    begin: str = 'start'
    end: str = 'stop'

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.by not in BY:
            raise ConfigurationError(f'episodes by {self.by!r}: choose from {", ".join(BY)}')
        if self.by == 'marker' and not self.topic:
            raise ConfigurationError('episodes by marker need the topic of the markers')
        if not self.pause_s > 0.0:
            raise ConfigurationError(f'a pause of {self.pause_s} s; give more than 0')


@dataclass(frozen=True)
class Segment:
    """One episode of a bag; times of arrival, both included. None: without a bound."""

    number: int
    start_ns: int | None = None
    end_ns: int | None = None

    def cut(self, messages: Iterable[StreamMessage]) -> Iterator[StreamMessage]:
        """The messages in it, and the last ones before it of what is said rarely."""
        earlier: dict[str, StreamMessage] = {}
        for message in messages:
            if self.end_ns is not None and message.log_ns > self.end_ns:
                return
            if self.start_ns is not None and message.log_ns < self.start_ns:
                if message.type_name == STRING:
                    earlier[message.topic] = message
                continue
            yield from earlier.values()
            earlier.clear()
            yield message


def find_segments(
    bag: BagFolder, rules: SegmentRules, topics: frozenset[str], despite_damage: bool = False
) -> list[Segment]:
    """The episodes of a bag in their order.

    Args:
        bag: to be looked at.
        rules: what divides it.
        topics: in which pauses count.
        despite_damage: go on behind what cannot be read.

    Raises:
        RecordingError: damage, markers that do not come in pairs, or too many parts.
    """
    if rules.by == 'bag':
        return [Segment(0)]
    wanted = topics if rules.by == 'pause' else {rules.topic}
    messages = MessageStream(bag, wanted, despite_damage)
    spans = _pauses(messages, rules) if rules.by == 'pause' else _markers(messages, rules)
    found: list[Segment] = []
    for start_ns, end_ns in spans:
        found.append(Segment(len(found), start_ns, end_ns))
        if len(found) > MOST_SEGMENTS:
            raise RecordingError(f'{bag.path} falls into more than {MOST_SEGMENTS} parts')
    return found


def _pauses(messages: Iterable[StreamMessage], rules: SegmentRules) -> Iterator[tuple[int, int]]:
    start_ns = last_ns = None
    for message in messages:
        if last_ns is not None and message.log_ns - last_ns > rules.pause_s * 1e9:
            assert start_ns is not None
            yield start_ns, last_ns
            start_ns = None
        start_ns = message.log_ns if start_ns is None else start_ns
        last_ns = message.log_ns
    if start_ns is not None and last_ns is not None:
        yield start_ns, last_ns


def _markers(messages: Iterable[StreamMessage], rules: SegmentRules) -> Iterator[tuple[int, int]]:
    start_ns: int | None = None
    for message in messages:
        if message.type_name != STRING:
            raise RecordingError(
                f'{message.where}: {message.topic} has the type {message.type_name[:80]!r}; '
                f'markers are {STRING}'
            )
        text = str(decode(message).data)
        if text.startswith(rules.begin):
            if start_ns is not None:
                raise RecordingError(f'{message.where}: {rules.begin!r} twice, no {rules.end!r}')
            start_ns = message.log_ns
        elif text.startswith(rules.end):
            if start_ns is None:
                raise RecordingError(f'{message.where}: {rules.end!r} without {rules.begin!r}')
            yield start_ns, message.log_ns
            start_ns = None
    if start_ns is not None:
        raise RecordingError(f'the last {rules.begin!r} is not followed by {rules.end!r}')
