"""When a Servo is taken for alive: an injected clock, and services that answer when told to."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy')

from rclpy.task import Future  # noqa: E402

from magma_ros.motion.causes import Cause, Severity  # noqa: E402
from magma_ros.motion.reason_codes import Reason  # noqa: E402
from magma_ros.ros.servo_client import cause_of  # noqa: E402
from magma_ros.ros.servo_stream import RAMP_TICKS, ServoState, ServoStream, Step  # noqa: E402


class Node:
    """Takes what a stream makes; nothing runs by itself."""

    def create_publisher(self, *_):
        return self

    def publish(self, _) -> None:
        pass

    def create_timer(self, *_) -> None:
        pass

    def get_clock(self):
        return self

    def now(self):
        return self

    nanoseconds = 0


class Answer:
    success = True


class Stream(ServoStream):
    """Its Servo has one service, which answers at once unless it is dead."""

    def __init__(self) -> None:
        self.now_s, self.asked, self.is_dead = 100.0, [], False
        self.stamps: list[int] = []
        super().__init__(
            Node(),  # type: ignore[arg-type]
            'base',
            self.stamps.append,
            lambda: self.now_s,
        )

    def _is_there(self) -> bool:
        return True  # a killed one stays listed for twenty seconds

    def _steps_to(self, state: ServoState) -> list[Step]:
        def ask() -> Future:
            self.asked.append(state)
            answer: Future = Future()
            if not self.is_dead:
                answer.set_result(Answer())
            return answer

        return [ask]

    def pass_time(self, seconds: float) -> None:
        """As the timers do: statuses and ticks at 50 Hz, prepare() once a second."""
        for tick in range(round(seconds * 50)):
            if tick % 50 == 0:
                self.prepare()
            self.now_s += 0.02
            self._on_tick()
            if not (self.is_dead or self.is_paused):
                self._note_status('NO_WARNING')


@pytest.fixture
def stream() -> Stream:
    stream = Stream()
    assert not stream.is_ready
    stream.pass_time(0.1)
    assert stream.is_ready
    return stream


def test_a_servo_that_falls_silent_is_not_ready_and_a_new_one_is_asked_again(
    stream: Stream,
) -> None:
    stream.pass_time(30.0)
    assert len(stream.asked) == 1, 'a Servo that speaks is left alone'

    stream.is_dead = True
    stream.pass_time(0.9)
    assert stream.is_ready, 'one second of silence is nothing yet'
    stream.pass_time(8.0)
    assert not stream.is_ready
    asked = len(stream.asked)
    assert asked > 1

    stream.is_dead = False
    stream.pass_time(5.0)
    assert stream.is_ready
    assert len(stream.asked) == asked + 1


def test_the_silence_of_a_pause_is_no_fault(stream: Stream) -> None:
    stream.pause()
    stream.pass_time(30.0)
    assert stream.is_paused
    assert len(stream.asked) == 2
    stream.resume()
    stream.pass_time(0.1)
    assert stream.is_ready
    assert len(stream.asked) == 3


def test_a_ramp_comes_before_a_pause(stream: Stream) -> None:
    stream.pause()
    stream.pass_time(0.02 * (RAMP_TICKS - 1))
    assert not stream.is_paused
    assert len(stream.stamps) > 10, 'the ramp must not be taken for twists of somebody else'


def test_a_pause_that_was_taken_back_does_not_shorten_the_next_ramp(stream: Stream) -> None:
    stream.pause()
    stream.pass_time(0.02 * (RAMP_TICKS - 2))
    stream.resume()
    stream.pass_time(0.1)
    stream.stamps.clear()

    stream.pause()
    stream.pass_time(1.0)
    assert stream.is_paused
    assert len(stream.stamps) == RAMP_TICKS


@pytest.mark.parametrize(
    ('status', 'cause'),
    [
        ('NO_WARNING', None),
        ('DECELERATE_FOR_APPROACHING_SINGULARITY', None),
        ('JOINT_BOUND', None),
        ('INVALID', Cause(Reason.SERVO, Severity.HOLD)),
        ('UNKNOWN_9', Cause(Reason.SERVO, Severity.HOLD)),
        ('DECELERATE_FOR_COLLISION', Cause(Reason.COLLISION, Severity.DEGRADED)),
        ('HALT_FOR_COLLISION', Cause(Reason.COLLISION, Severity.HOLD)),
    ],
)
def test_what_a_status_demands(status: str, cause: Cause | None) -> None:
    assert cause_of(status) == cause
