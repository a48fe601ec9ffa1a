"""What websocket servers may do wrong, and the named error that each becomes here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import numpy as np
import pytest
from serving_kit import (
    PATIENCE_S,
    act_once,
    arm_state,
    foreign_websocket,
    free_port,
    picture,
    raw_listener,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.backends.remote_model import RemoteModel, connect
from magma_ros.model.backends.remote_openpi import OpenpiLink
from magma_ros.model.remote.action_space import ACTION_SPACES
from magma_ros.model.remote.arrays import REPLY_LIMITS, pack, unpack
from magma_ros.model.remote.protocol import PROTOCOL, ServerMetadata
from magma_ros.model.remote.server_address import RemoteServer

METADATA = ServerMetadata('theirs', 'ab12', 'bridge_orig', 256, takes_state=True)
GOOD = np.array([[0.01, 0, 0, 0, 0, 0, 1.0]])
NONSENSE = [
    ({'actions': np.zeros(3)}, 'shape'),
    ({'actions': np.zeros((2, 8))}, 'shape'),
    ({'actions': np.full((1, 7), np.nan)}, 'NaN'),
    ({'actions': 'error'}, 'no numbers'),
    ({'action': GOOD}, 'NaN|shape'),
    ({'actions': [1, 2, 3]}, 'shape'),
    ([1, 2], 'nonsense'),
    ({'actions': [[0] * 7] * 300}, 'nonsense'),
    ({'actions': np.zeros((65, 7))}, 'shape'),
]


def replies(*messages: bytes | str) -> Callable[[ServerConnection], None]:
    """Sends metadata of openpi's kind, then these replies, one for each question."""

    def talk(socket: ServerConnection) -> None:
        socket.send(pack({}))
        for message in messages:
            socket.recv()
            socket.send(message)
        for _ in socket:
            pass

    return talk


@pytest.mark.parametrize('address', ['ws://127.0.0.1:{}', 'http://127.0.0.1:{}/act'])
def test_nobody_there(address) -> None:
    with pytest.raises(ModelError, match='cannot be reached .*start "magma serve" there'):
        connect(address.format(free_port()))


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(ModelError, match='cannot be reached'):
        connect('ws://no-such-host.invalid:8000')


@pytest.mark.parametrize('address', ['ws://127.0.0.1:{}', 'http://127.0.0.1:{}/act'])
@pytest.mark.parametrize(
    'reply',
    [
        b'',
        b'SSH-2.0-OpenSSH_9.6\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>',
        b'HTTP/1.1 101 Switching',
        b'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n',
    ],
    ids=['nothing', 'ssh', 'html', 'half', 'error'],
)
def test_a_port_of_something_else(address, reply) -> None:
    with (
        raw_listener(reply) as port,
        pytest.raises(ModelError, match=r'no openpi server|reached|broke off|nonsense'),
    ):
        connect(address.format(port))


@pytest.mark.parametrize(('message', 'reason'), NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_through_the_websocket(message, reason) -> None:
    with (
        foreign_websocket(replies(pack(message))) as address,
        pytest.raises(ModelError, match=reason),
    ):
        act_once(f'{address}?actions=bridge')


@pytest.mark.parametrize(
    ('reply', 'reason'),
    [
        (b'\xc1', 'nonsense'),
        (
            'Traceback:\n  line 7\nKeyError: observation/wrist',
            'failed: KeyError: observation/wrist',
        ),
        ('', 'no reason given'),
        (b'\0' * (REPLY_LIMITS.message_bytes + 1), 'closed the connection'),
    ],
    ids=['bytes', 'traceback', 'nothing', 'huge'],
)
def test_replies_that_are_no_message(reply, reason) -> None:
    with (
        foreign_websocket(replies(reply, reply)) as address,
        pytest.raises(ModelError, match=reason),
    ):
        act_once(f'{address}?actions=bridge')


@pytest.mark.parametrize(
    ('first', 'error', 'reason'),
    [
        ('hello', ModelError, "began with nonsense .*'hello'"),
        (b'\xc1', ModelError, 'began with nonsense'),
        (pack([1]), ModelError, 'began with list'),
        (pack(METADATA.as_message() | {PROTOCOL: 2}), ModelError, 'speaks version 2'),
        (pack({}), ConfigurationError, r'add \?actions=bridge or \?actions=libero'),
    ],
    ids=['text', 'bytes', 'list', 'version', 'silent'],
)
def test_handshakes_that_fail(first, error, reason) -> None:
    def talk(socket: ServerConnection) -> None:
        socket.send(first)
        for _ in socket:
            pass

    with foreign_websocket(talk) as address, pytest.raises(error, match=reason):
        connect(address)


def test_a_late_reply_is_given_up_and_not_taken_for_the_next() -> None:
    asked, too_late = threading.Event(), threading.Event()

    def talk(socket: ServerConnection) -> None:
        socket.send(pack({}))
        with contextlib.suppress(ConnectionClosed):  # by the client that waited long enough
            for _ in socket:
                if not asked.is_set():
                    asked.set()
                    assert too_late.wait(PATIENCE_S)
                    socket.send(pack({'actions': -GOOD}))
                socket.send(pack({'actions': GOOD}))

    with foreign_websocket(talk) as address:
        link = OpenpiLink(RemoteServer(address, reply_timeout_s=0.1))
        model = RemoteModel(link, ACTION_SPACES['bridge'])
        with pytest.raises(ModelError, match='within 0.1 s.*timeout_s='):
            model.generate_action(picture(), 'go', None)
        too_late.set()
        link.server = RemoteServer(address, reply_timeout_s=PATIENCE_S)
        action = model.generate_action(picture(), 'go', None)
        model.close()
    assert action.deltas[0].translation_m[0] == 0.01


def test_a_server_that_never_reads_is_given_up() -> None:
    done = threading.Event()

    def talk(socket: ServerConnection) -> None:
        socket.send(pack({}))
        assert done.wait(PATIENCE_S)

    with foreign_websocket(talk) as address:
        model = connect(f'{address}?actions=bridge&timeout_s=0.1')
        with pytest.raises(ModelError, match='within 0.1 s'):
            model.generate_action(np.zeros((1500, 1500, 3), np.uint8), 'go', None)
        done.set()
        model.close()


def test_a_connection_that_closes_is_opened_once_more() -> None:
    conversations = []

    def talk(socket: ServerConnection) -> None:
        conversations.append(1)
        socket.send(pack({}))
        socket.recv()
        if len(conversations) == 2:
            socket.send(pack({'actions': GOOD}))

    with foreign_websocket(talk) as address:
        model = connect(f'{address}?actions=bridge')
        assert model.generate_action(picture(), 'go', None).deltas[0].translation_m[0] == 0.01
        with pytest.raises(ModelError, match='closed the connection'):
            model.generate_action(picture(), 'go', None)
        model.close()
    assert len(conversations) == 3  # lost, answered and found closed, lost


def test_a_server_that_changes_its_model_is_noticed() -> None:
    conversations = []

    def talk(socket: ServerConnection) -> None:
        conversations.append(1)
        sha256 = f'number {len(conversations)}'
        socket.send(pack(METADATA.as_message() | {'sha256': sha256}))
        socket.recv()

    with (
        foreign_websocket(talk) as address,
        pytest.raises(ModelError, match='now serves another model'),
    ):
        act_once(address)


def test_what_the_protocol_cannot_do_is_said() -> None:
    with foreign_websocket(replies()) as address:
        model = connect(f'{address}?actions=bridge')
        with pytest.raises(ModelError, match=r'actions only \(no trace\): use direct mode'):
            model.generate_trace(picture(), 'go', None)
        with pytest.raises(ModelError, match=r'actions only \(no answer\)'):
            model.answer(picture(), 'what?')
        model.reset()
        model.close()


def test_no_state_is_sent_to_a_model_that_takes_none() -> None:
    seen = []

    def talk(socket: ServerConnection) -> None:
        socket.send(pack(METADATA.as_message() | {'takes_state': False}))
        for message in socket:
            seen.append(unpack(message))
            socket.send(pack({'actions': GOOD}))

    with foreign_websocket(talk) as address:
        model = connect(address)
        model.generate_action(picture(), 'go', arm_state())
        model.close()
    assert set(seen[0]) == {'observation/image', 'prompt', PROTOCOL, 'question'}
    assert seen[0][PROTOCOL] == 1
