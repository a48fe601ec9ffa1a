"""Replies that are slow or end in the middle: one deadline for a question, and no half action."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from socket import SHUT_RDWR

import numpy as np
import pytest
from serving_kit import PATIENCE_S, act_once, foreign_http, foreign_websocket, picture
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from magma_ros.errors import ModelError
from magma_ros.model.backends.remote_model import connect
from magma_ros.model.remote.arrays import pack

GOOD = np.array([[0.01, 0, 0, 0, 0, 0, 1.0]])


def drip(done: threading.Event) -> Iterator[bytes]:
    """A reply that goes on arriving and never ends."""
    yield pack({'actions': GOOD})[:-1]
    while not done.wait(0.02):
        yield b'\0'


def test_a_reply_that_arrives_drop_by_drop_has_one_deadline() -> None:
    done = threading.Event()

    def talk(socket: ServerConnection) -> None:
        socket.send(pack({}))
        socket.recv()
        with contextlib.suppress(ConnectionClosed):
            socket.send(drip(done))

    with foreign_websocket(talk) as address:
        model = connect(f'{address}?actions=bridge&timeout_s=0.3')
        with pytest.raises(ModelError, match='within 0.3 s'):
            model.generate_action(picture(), 'go', None)
        done.set()
        model.close()


def test_half_a_reply_is_no_action() -> None:
    def talk(socket: ServerConnection) -> None:
        socket.send(pack({}))
        socket.recv()

        def half() -> Iterator[bytes]:
            yield pack({'actions': GOOD})[:-9]
            socket.socket.shutdown(SHUT_RDWR)
            yield b''

        with contextlib.suppress(ConnectionClosed):
            socket.send(half())

    with (
        foreign_websocket(talk) as address,
        pytest.raises(ModelError, match='closed the connection'),
    ):
        act_once(f'{address}?actions=bridge')


def test_finding_the_server_again_counts_within_the_same_deadline() -> None:
    lost, done = threading.Event(), threading.Event()

    def talk(socket: ServerConnection) -> None:
        if lost.is_set():  # the second time it is silent from the start
            assert done.wait(PATIENCE_S)
            return
        socket.send(pack({}))
        socket.recv()
        lost.set()

    with foreign_websocket(talk) as address:
        model = connect(f'{address}?actions=bridge&timeout_s=0.3')
        with pytest.raises(ModelError, match='within 0.3 s'):
            model.generate_action(picture(), 'go', None)
        assert lost.is_set()
        done.set()
        model.close()


def test_an_answer_that_arrives_drop_by_drop_has_one_deadline() -> None:
    done = threading.Event()

    def answer(handler, _) -> None:
        handler.send_response(200)
        handler.send_header('Content-Length', '100000')
        handler.end_headers()
        with contextlib.suppress(OSError):  # the client leaves
            while not done.wait(0.02):
                handler.wfile.write(b' ')

    with foreign_http(answer) as address:
        model = connect(f'{address}?timeout_s=0.3')
        with pytest.raises(ModelError, match='within 0.3 s'):
            model.generate_action(picture(), 'go', None)
        done.set()
        model.close()
