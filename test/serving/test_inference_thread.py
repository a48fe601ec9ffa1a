from __future__ import annotations

import threading

import pytest

from magma_ros.model.remote.refusal import Refusal
from magma_ros.serving.inference_thread import InferenceThread

PATIENCE_S = 60.0


class Gate:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()

    def __call__(self) -> int:
        self.entered.set()
        assert self.release.wait(PATIENCE_S)
        return threading.get_ident()


@pytest.fixture
def thread():
    thread = InferenceThread()
    yield thread
    assert thread.stop(PATIENCE_S)


def test_one_runs_one_waits_a_third_is_refused(thread) -> None:
    first = Gate()
    running = thread.submit(first)
    assert first.entered.wait(PATIENCE_S)
    waiting = thread.submit(lambda: 'second')

    with pytest.raises(Refusal, match='one question runs and one waits') as caught:
        thread.submit(lambda: 'third')

    assert caught.value.code == 'busy'
    assert not waiting.done()
    first.release.set()
    assert waiting.result(PATIENCE_S) == 'second'
    assert running.result() != threading.get_ident()
    assert thread.submit(lambda: 'fourth').result(PATIENCE_S) == 'fourth'


def test_what_waits_can_be_cancelled(thread) -> None:
    first, ran = Gate(), []
    thread.submit(first)
    assert first.entered.wait(PATIENCE_S)
    waiting = thread.submit(lambda: ran.append(1))

    assert waiting.cancel()
    first.release.set()

    assert thread.stop(PATIENCE_S)
    assert ran == []


def test_errors_reach_who_asked_and_nobody_else(thread) -> None:
    def fail():
        raise MemoryError('out of it')

    with pytest.raises(MemoryError, match='out of it'):
        thread.submit(fail).result(PATIENCE_S)
    assert thread.submit(lambda: 'well').result(PATIENCE_S) == 'well'


def test_stopping_does_not_wait_for_a_model_that_hangs() -> None:
    thread, hanging = InferenceThread(), Gate()
    thread.submit(hanging)
    assert hanging.entered.wait(PATIENCE_S)

    assert not thread.stop(patience_s=0.05)

    hanging.release.set()
