"""What servers of all kinds may do wrong, and the named error that each becomes here."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable

import numpy as np
import pytest
from serving_kit import (
    ACTIONS,
    PATIENCE_S,
    TOKEN,
    BlockingModel,
    FailingModel,
    foreign_http,
    foreign_websocket,
    free_port,
    http,
    picture,
    raw_listener,
    running,
    send_body,
    ws,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from magma_ros.errors import CameraError, ConfigurationError, InstructionError, ModelError
from magma_ros.model.backends.remote_model import RemoteModel, connect
from magma_ros.model.backends.remote_openpi import OpenpiLink
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.model.remote.access_token import VARIABLE
from magma_ros.model.remote.action_space import ACTION_SPACES
from magma_ros.model.remote.arrays import LIMITS, dump_json, pack, unpack
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


def act_once(address: str):
    model = connect(address)
    try:
        return model.generate_action(picture(), 'go', None)
    finally:
        model.close()


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
        (b'\0' * (LIMITS.message_bytes + 1), 'closed the connection'),
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


def test_act_notices_another_model_too() -> None:
    with running(ScriptedModel(ACTIONS)) as server:
        model, port = connect(http(server)), server.address[1]
    with running(ScriptedModel(ACTIONS[:1]), port=port):
        with pytest.raises(ModelError, match='now serves another model'):
            model.generate_action(picture(), 'go', None)
        model.close()


@pytest.mark.parametrize(
    ('body', 'status', 'reason'),
    [
        (b'"error"', 200, 'gave no action .*error'),
        (b'error', 200, 'nonsense'),
        (b'<html>oh</html>', 200, 'nonsense'),
        (b'<html>oh</html>', 502, 'nonsense .HTTP 502'),
        (b'{"detail": "Not Found"}', 404, 'gave no action .HTTP 404'),
        (b'[1, 2, 3]', 200, 'shape'),
        (dump_json(np.full(7, 2.0)).encode(), 500, 'HTTP 500'),
        (b'{"__numpy__": "AAAA", "dtype": "<f8", "shape": [7]}', 200, 'nonsense'),
        (b'[NaN, 0, 0, 0, 0, 0, 0]', 200, 'nonsense'),
        (b' ' * (LIMITS.message_bytes + 1), 200, 'broke off .*more than'),
    ],
    ids=range(10),
)
def test_act_answers_that_are_no_action(body, status, reason) -> None:
    with (
        foreign_http(lambda handler, _: send_body(handler, body, status)) as address,
        pytest.raises(ModelError, match=reason),
    ):
        act_once(address)


def test_act_that_is_slow_or_breaks_off() -> None:
    done, cut = threading.Event(), []

    def answer(handler, _) -> None:
        if cut:
            handler.send_response(200)
            handler.send_header('Content-Length', '100')
            handler.end_headers()
            handler.wfile.write(b'[0, 0')
        else:
            assert done.wait(PATIENCE_S)

    with foreign_http(answer) as address:
        model = connect(f'{address}?timeout_s=0.1')
        with pytest.raises(ModelError, match='within 0.1 s'):
            model.generate_action(picture(), 'go', None)
        done.set()
        model.close()
        cut.append(True)
        with pytest.raises(ModelError, match='broke off'):
            act_once(address)


@pytest.mark.parametrize('address', [ws, http])
def test_refusals_of_our_server_become_the_right_errors(address, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, TOKEN)
    with running(FailingModel(RuntimeError('x')), token=TOKEN) as server:
        model = connect(address(server))
        with pytest.raises(CameraError, match=r'refuses \(image\): .* 8 x 8'):
            model.generate_action(np.zeros((8, 8, 3), np.uint8), 'go', None)
        with pytest.raises(InstructionError, match='empty'):
            model.generate_action(picture(), ' ', None)
        with pytest.raises(ModelError, match=r'refuses \(internal\): the model failed'):
            model.generate_action(picture(), 'go', None)
        model.close()
        with pytest.raises(ConfigurationError, match=r'refuses \(statistics\)'):
            act_once(address(server) + '?unnorm_key=google_robot')
        monkeypatch.setenv(VARIABLE, 'a-wrong-token-456')
        with pytest.raises(ConfigurationError, match=r'refuses \(unauthorised\)'):
            connect(address(server))


def test_a_picture_too_large_for_the_server_is_an_error_here() -> None:
    with running(ScriptedModel(ACTIONS)) as server:
        model = connect(ws(server) + '?timeout_s=60')
        with pytest.raises(ModelError, match='closed the connection'):
            model.generate_action(np.zeros((2000, 2000, 3), np.uint8), 'go', None)
        model.close()


@pytest.mark.parametrize('address', [ws, http])
def test_a_server_that_stops_while_it_is_asked(address) -> None:
    blocking, errors = BlockingModel(), []
    with running(blocking) as server:
        model = connect(address(server) + '?timeout_s=60')

        def ask() -> None:
            try:
                errors.append(model.generate_action(picture(), 'go', None))
            except ModelError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert blocking.entered.wait(PATIENCE_S)
        server.stop()
        if address is http:  # what is under way there is finished
            blocking.release.set()
        thread.join(PATIENCE_S)
        blocking.release.set()
    model.close()
    if address is http:
        assert errors[0].deltas
    else:
        assert 'cannot be reached' in str(errors[0]) or 'closed the connection' in str(errors[0])


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
        act_once(address)
    assert set(seen[0]) == {'observation/image', 'prompt', PROTOCOL, 'question'}
    assert json.dumps(seen[0][PROTOCOL]) == '1'
