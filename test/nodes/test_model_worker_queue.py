"""Whose turn it is: actions first, the newest of a kind, one with the model at a time."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.data_types import ArmState, EndEffectorDelta, GripperEvent, PixelTrace, Pose
from magma_ros.errors import CameraError, InstructionError, ModelError
from magma_ros.model.action_model import ActionAnswer, ActionDeltas, TraceAnswer
from magma_ros.nodes.model_worker_answers import (
    KINDS,
    answer_fields,
    read_answer,
    read_state,
    state_fields,
)
from magma_ros.nodes.model_worker_channel import MESSAGE_BYTES, Channel, SharedPicture
from magma_ros.nodes.model_worker_queue import Request, RequestQueue, Superseded

PICTURE = np.zeros((2, 2, 3), np.uint8)


def reply(text: str = '') -> dict:
    return {'event': 'reply', 'answer': {'text': text}, 'prepare_s': 0.0, 'infer_s': 0.0}


def wish(kind='answer', text='?') -> Request:
    return Request(kind, PICTURE, text)


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def queue(sent) -> RequestQueue:
    queue = RequestQueue()
    queue.open(sent.append)
    return queue


def test_the_most_urgent_goes_next_however_long_others_wait(queue, sent) -> None:
    for kind in ('answer', 'trace', 'answer', 'action'):
        queue.submit(wish(kind), 0.0)
    assert [request.kind for request in sent] == ['answer']

    queue.settle(reply(), 1.0)
    assert [request.kind for request in sent] == ['answer', 'action']
    queue.close('ended')
    assert len(sent) == 2


def test_a_newer_picture_takes_the_place_of_one_that_waits(queue, sent) -> None:
    first, older, newer = wish(text='1'), wish(text='2'), wish(text='3')
    for request in (first, older, newer):
        queue.submit(request, 0.0)

    queue.settle(reply('one'), 0.0)
    queue.settle(reply('three'), 0.0)

    assert [request.text for request in sent] == ['1', '3']
    assert (first.reply.result(0).answer, newer.reply.result(0).answer) == ('one', 'three')
    with pytest.raises(Superseded):
        older.reply.result(0)


def test_closing_tells_everybody_and_whoever_comes_later(queue) -> None:
    requests = [wish('trace'), wish('action'), wish('answer')]
    for request in requests[:2]:
        queue.submit(request, 0.0)
    queue.close('it died')
    queue.submit(requests[2], 0.0)

    for request in requests:
        with pytest.raises(ModelError, match='it died'):
            request.reply.result(0)
    assert queue.asked_for_s(9.0) == 0.0


def test_what_cannot_be_sent_is_answered_and_the_next_one_goes() -> None:
    sent = []

    def send(request: Request) -> None:
        if request.text == 'large':
            raise CameraError('too large')
        sent.append(request.text)

    queue = RequestQueue()
    queue.open(send)
    large = wish(text='large')
    queue.submit(large, 0.0)
    queue.submit(wish(text='small'), 2.0)

    with pytest.raises(CameraError):
        large.reply.result(0)
    assert sent == ['small']
    assert queue.asked_for_s(5.0) == 3.0


def test_errors_are_those_of_the_model_and_unknown_ones_model_errors(queue) -> None:
    for name, kind in (('InstructionError', InstructionError), ('Nonsense', ModelError)):
        request = wish()
        queue.submit(request, 0.0)
        queue.settle({'event': 'reply', 'error': name, 'text': 'why'}, 0.0)
        with pytest.raises(kind, match='why'):
            request.reply.result(0)


def test_a_model_may_reply_before_the_asker_has_let_go() -> None:
    queue = RequestQueue()
    threads = []

    def send(request: Request) -> None:
        threads.append(threading.Thread(target=queue.settle, args=(reply('fast'), 0.0)))
        threads[-1].start()
        threads[-1].join(0.05)  # it must wait for us

    queue.open(send)
    request = wish()
    queue.submit(request, 0.0)

    assert request.reply.result(5.0).answer == 'fast'
    threads[0].join()


def test_a_reply_nobody_asked_for_is_an_error(queue) -> None:
    with pytest.raises(ValueError, match='nobody'):
        queue.settle(reply(), 0.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from((*KINDS, 'settle')), max_size=20))
def test_one_request_is_out_at_a_time_and_none_is_lost(steps) -> None:
    sent, submitted, settled = [], [], 0
    queue = RequestQueue()
    queue.open(sent.append)
    for step in steps:
        if step != 'settle':
            submitted.append(wish(step))
            queue.submit(submitted[-1], 0.0)
        elif len(sent) > settled:
            kind = sent[settled].kind
            settled += 1
            answer = {'text': '', 'traces': [], 'deltas': [], 'step_s': 1, 'reference': 'measured'}
            queue.settle({**reply(), 'answer': answer}, 0.0)
            assert sent[settled - 1].kind == kind
        assert len(sent) - settled <= 1
    queue.close('ended')

    assert all(request.reply.done() for request in submitted)


def test_answers_survive_the_message() -> None:
    action = ActionAnswer((1, 2), np.array([0.1, -0.2]), np.array([0.5, 1 / 3]), (1, 1))
    deltas = ActionDeltas((EndEffectorDelta(np.ones(3), np.zeros(3), 0.25),), 0.2, 'commanded')
    trace = TraceAnswer(
        [PixelTrace(3, np.zeros(2), np.ones((2, 2)), {1: GripperEvent.CLOSE})], 'text'
    )
    for kind, answer in (
        ('action', action),
        ('action', deltas),
        ('trace', trace),
        ('answer', 'a'),
    ):
        assert repr(read_answer(kind, answer_fields(answer))) == repr(answer)

    state = ArmState(np.arange(6.0), np.ones(6), Pose(np.ones(3), np.eye(4)[3]), 0.5, 7)
    assert repr(read_state(state_fields(state))) == repr(state)
    assert read_state(state_fields(None)) is None


def test_a_channel_bounds_messages_and_notices_the_end() -> None:
    ours, theirs = Channel.pair()
    with pytest.raises(ValueError, match=str(MESSAGE_BYTES)):
        ours.send({'text': 'x' * MESSAGE_BYTES})
    with pytest.raises(TimeoutError):
        theirs.receive(0.0)
    ours.send({'text': 'x' * (MESSAGE_BYTES - 20)})
    assert len(theirs.receive(0.0)['text']) == MESSAGE_BYTES - 20
    ours.close()
    assert theirs.receive(0.0) is None
    theirs.close()


def test_a_picture_is_shared_not_copied_and_bounded() -> None:
    ours = SharedPicture.create()
    theirs = SharedPicture(ours.descriptor)
    rgb = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)

    seen = theirs.read(*ours.write(rgb))
    np.testing.assert_array_equal(seen, rgb)
    ours.write(np.zeros_like(rgb))
    assert not seen.any()
    with pytest.raises(ValueError, match='read-only'):
        seen[0, 0, 0] = 1
    for size in ((0, 5), (20_000, 20_000), (-1, 5)):
        with pytest.raises(ValueError, match='does not fit'):
            theirs.read(*size)
