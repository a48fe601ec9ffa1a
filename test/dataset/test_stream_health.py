"""What is wrong with a topic is said while it is wrong; times are made up."""

from __future__ import annotations

import struct

import pytest
from messages import QOS, START_NS

from magma_ros.dataset.recorded_topic import Arrival, RecordedTopic
from magma_ros.dataset.stream_health import HealthLimits, StreamHealth

IMAGE = RecordedTopic(
    '/colour',
    'sensor_msgs/msg/Image',
    '# a picture\n\nstd_msgs/Header header # stamp\nuint32 height\n',
    '',
    QOS.format(2),
)
PERIOD_NS = 33_333_333


def picture(at_ns: int, content: int, stamp_ns: int | None = None) -> Arrival:
    seconds, nanoseconds = divmod(at_ns if stamp_ns is None else stamp_ns, 1_000_000_000)
    head = b'\0\1\0\0' + struct.pack('<iI', seconds, nanoseconds)
    return Arrival('/colour', head + struct.pack('<I', content) * 20_000, at_ns, at_ns)


def watched(count: int = 60, **limits: float) -> tuple[StreamHealth, int]:
    """A camera that has been well for a while, and the time of its last picture."""
    health = StreamHealth(IMAGE, HealthLimits(**limits))
    for index in range(count):
        health.note(picture(START_NS + index * PERIOD_NS, index))
    return health, START_NS + (count - 1) * PERIOD_NS


def kinds(health: StreamHealth, now_ns: int) -> list[str]:
    return [problem.kind for problem in health.problems(now_ns)]


def test_a_good_camera_is_left_alone() -> None:
    health, last_ns = watched()
    assert kinds(health, last_ns) == []
    health.measure_rate(last_ns)
    for index in range(30):
        health.note(picture(last_ns + (index + 1) * PERIOD_NS, index))
    health.measure_rate(last_ns + 30 * PERIOD_NS)
    assert health.rate_hz == pytest.approx(30.0, rel=1e-3)


def test_a_gap_is_reported_for_some_seconds() -> None:
    health, last_ns = watched()
    health.note(picture(last_ns + 200_000_000, 1))
    (problem,) = health.problems(last_ns + 200_000_000)
    assert (problem.kind, problem.text) == ('gap', '/colour: a gap of 0.20 s, usual are 30.0 Hz')
    now_ns = last_ns + 200_000_000
    for index in range(160):
        now_ns += PERIOD_NS
        health.note(picture(now_ns, index))
    assert kinds(health, now_ns) == []
    assert health.counts()['longest_gap_s'] == 0.2


def test_silence_is_reported_without_a_message() -> None:
    health, last_ns = watched()
    assert kinds(health, last_ns + 900_000_000) == []
    assert kinds(health, last_ns + 1_100_000_000) == ['silent']


def test_a_picture_that_stays_the_same_is_frozen() -> None:
    health, last_ns = watched()
    for index in range(40):
        health.note(picture(last_ns + (index + 1) * PERIOD_NS, 7))
    assert kinds(health, last_ns + 40 * PERIOD_NS) == ['frozen']
    health.note(picture(last_ns + 41 * PERIOD_NS, 8))
    assert kinds(health, last_ns + 41 * PERIOD_NS) == []


def test_equal_pictures_may_be_allowed() -> None:
    health, last_ns = watched(frozen_s=0.0)
    for index in range(90):
        health.note(picture(last_ns + (index + 1) * PERIOD_NS, 7))
    assert kinds(health, last_ns + 90 * PERIOD_NS) == []


@pytest.mark.parametrize('skew_s', [-0.6, 0.6])
def test_a_stamp_of_another_clock_is_skewed(skew_s: float) -> None:
    health, last_ns = watched()
    at_ns = last_ns + PERIOD_NS
    health.note(picture(at_ns, 3, at_ns - round(skew_s * 1e9)))
    (problem,) = health.problems(at_ns)
    assert problem.kind == 'skew'
    assert f'{skew_s:.2f} s' in problem.text


def test_what_never_came_is_counted() -> None:
    health, last_ns = watched()
    health.note(picture(last_ns + PERIOD_NS, 3), lost=4)
    (problem,) = health.problems(last_ns + PERIOD_NS)
    assert problem.text.startswith('/colour: 4 messages never came')


def test_topics_without_a_rate_may_be_silent() -> None:
    topic = RecordedTopic('/said', 'std_msgs/msg/String', 'string data\n', '', '')
    health = StreamHealth(topic, HealthLimits())
    for index in range(50):
        health.note(Arrival('/said', b'\0\1\0\0' + b'\xff' * 20, START_NS + index, 0))
    assert kinds(health, START_NS + 10**12) == []
