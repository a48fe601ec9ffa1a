"""How well a topic comes in, while it does: rate, gaps, stamps, frozen pictures, losses.

Pure: times are those of the messages, or arguments.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from magma_ros.dataset.image_compression import COMPRESSED_IMAGE, IMAGE
from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.video_compression import COMPRESSED_VIDEO

# Sensors come regularly; whoever else is silent may have nothing to say.
REGULAR = {
    IMAGE,
    COMPRESSED_IMAGE,
    COMPRESSED_VIDEO,
    'sensor_msgs/msg/CameraInfo',
    'sensor_msgs/msg/JointState',
}
PICTURES = {IMAGE, COMPRESSED_IMAGE}
LEARNED = 20  # messages after which the usual period is known
SMOOTHING = 0.05  # of the usual period, for each message
GAP_PERIODS = 3.0  # a camera that loses two pictures in a row
LEAST_GAP_S = 0.1
SILENCE_S = 1.0
REMEMBER_S = 5.0  # a gap is reported so long
SAMPLES, SAMPLE = 4, 4096  # windows of a picture and their bytes: sensor noise differs in each


@dataclass(frozen=True)
class HealthLimits:
    """What is worth a warning. See config/recorder.yaml."""

    skew_s: float = 0.5  # between a stamp and the arrival
    frozen_s: float = 1.0  # equal pictures for so long; 0: pictures may be equal


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a topic now."""

    topic: str
    kind: str  # gap, silent, skew, frozen, lost
    text: str


class StreamHealth:
    """Of one topic."""

    def __init__(self, topic: RecordedTopic, limits: HealthLimits) -> None:
        self._topic, self._limits = topic, limits
        self._has_stamp = _begins_with_header(topic.definition)
        self.count = 0
        self.lost = 0  # on the way to us, by the publisher's own numbers
        self.longest_gap_s = 0.0
        self._last_ns = 0
        self._period_s = 0.0
        self._gap: tuple[int, float] | None = None  # when, how long
        self._skew_s = 0.0
        self._digest, self._changed_ns = 0, 0
        self._rated_ns, self._rated_count, self.rate_hz = 0, 0, 0.0

    def note(self, arrival: Arrival, lost: int = 0) -> None:
        """Take a message into account; ``lost`` messages before it never came."""
        now_ns = arrival.received_ns
        if self.count:
            self._note_period((now_ns - self._last_ns) * 1e-9, now_ns)
        self.count += 1
        self.lost += lost
        self._last_ns = now_ns
        if self._has_stamp and len(arrival.data) >= 12:
            seconds, nanoseconds = struct.unpack_from('<iI', arrival.data, 4)
            self._skew_s = (now_ns - (seconds * 1_000_000_000 + nanoseconds)) * 1e-9
        if self._topic.type_name in PICTURES and self._limits.frozen_s:
            digest = _sample(arrival.data)
            if digest != self._digest or not self._changed_ns:
                self._digest, self._changed_ns = digest, now_ns

    def measure_rate(self, now_ns: int) -> None:
        """Set ``rate_hz`` to the messages per second since the last call."""
        elapsed_s = (now_ns - self._rated_ns) * 1e-9
        if self._rated_ns and elapsed_s > 0.0:
            self.rate_hz = (self.count - self._rated_count) / elapsed_s
        self._rated_ns, self._rated_count = now_ns, self.count

    def counts(self) -> dict[str, float]:
        """For the record of the episode."""
        return {
            'count': self.count,
            'lost': self.lost,
            'longest_gap_s': round(self.longest_gap_s, 4),
        }

    def problems(self, now_ns: int) -> list[Problem]:
        """What is wrong now."""
        found = []
        silent_s = (now_ns - self._last_ns) * 1e-9
        if self._is_known and silent_s > max(SILENCE_S, GAP_PERIODS * self._period_s):
            text = f'silent for {silent_s:.1f} s, usual are {1.0 / self._period_s:.1f} Hz'
            found.append(self._problem('silent', text))
        elif self._gap is not None and now_ns - self._gap[0] < REMEMBER_S * 1e9:
            text = f'a gap of {self._gap[1]:.2f} s, usual are {1.0 / self._period_s:.1f} Hz'
            found.append(self._problem('gap', text))
        if abs(self._skew_s) > self._limits.skew_s:
            text = f'stamps are {self._skew_s:.2f} s before their arrival; look at the clocks'
            found.append(self._problem('skew', text))
        frozen_s = (self._last_ns - self._changed_ns) * 1e-9 if self._changed_ns else 0.0
        if self._limits.frozen_s and frozen_s > self._limits.frozen_s:
            found.append(self._problem('frozen', f'the same picture for {frozen_s:.1f} s'))
        if self.lost:
            text = f'{self.lost} messages never came; is the network or this machine too slow?'
            found.append(self._problem('lost', text))
        return found

    @property
    def _is_known(self) -> bool:
        return self._topic.type_name in REGULAR and self.count > LEARNED

    def _note_period(self, period_s: float, now_ns: int) -> None:
        usual_s = self._period_s
        if self._is_known and period_s > max(LEAST_GAP_S, GAP_PERIODS * usual_s):
            self._gap = (now_ns, period_s)
            self.longest_gap_s = max(self.longest_gap_s, period_s)
        elif period_s >= 0.0:
            share = max(SMOOTHING, 1.0 / self.count)
            self._period_s = usual_s + share * (period_s - usual_s)

    def _problem(self, kind: str, text: str) -> Problem:
        return Problem(self._topic.name, kind, f'{self._topic.name}: {text}')


def _begins_with_header(definition: str) -> bool:
    """Whether the first field is a std_msgs/Header, so that a stamp is where CDR begins."""
    fields = (line.split('#')[0].strip() for line in definition.splitlines())
    return next((field for field in fields if field), '').startswith('std_msgs/Header ')


def _sample(data: bytes) -> int:
    """A digest of some windows of a picture."""
    digest, step = 0, max(1, len(data) // (SAMPLES + 1))
    for index in range(1, SAMPLES + 1):
        digest = zlib.crc32(data[index * step : index * step + SAMPLE], digest)
    return digest
