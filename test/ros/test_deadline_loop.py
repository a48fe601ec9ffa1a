import threading

import pytest

from magma_ros.ros.deadline_loop import DeadlineLoop


def test_ticks_until_stopped():
    reached = threading.Event()
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) == 5:
            reached.set()

    loop = DeadlineLoop('test', 0.005, tick)
    loop.start()
    assert reached.wait(5.0)
    loop.stop()

    count = len(ticks)
    assert not loop.is_alive
    assert len(ticks) == count
    lateness = loop.lateness()
    assert 0.0 <= lateness.p50_ms <= lateness.p99_ms <= lateness.max_ms


def test_skipped_periods_are_counted():
    began = threading.Event()
    release = threading.Event()

    def tick():
        began.set()
        release.wait(5.0)

    loop = DeadlineLoop('test', 0.001, tick)
    loop.start()
    assert began.wait(5.0)
    threading.Event().wait(0.02)
    release.set()
    loop.stop()

    assert loop.lateness().missed >= 15


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_an_exception_ends_it():
    def tick():
        raise ValueError('broken')

    loop = DeadlineLoop('test', 0.001, tick)
    loop.start()
    loop._thread.join(5.0)

    assert not loop.is_alive
