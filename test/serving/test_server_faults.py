"""Bad questions over real sockets: each is refused with a code, and the next one is answered."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from unittest.mock import ANY

import numpy as np
import pytest
from serving_kit import (
    ACTIONS,
    HTTP,
    PATIENCE_S,
    TOKEN,
    BlockingModel,
    FailingModel,
    http,
    picture,
    running,
    ws,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_websocket

from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.action_model import ActionAnswer, ActionDeltas
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.model.remote.arrays import LIMITS, dump_json, pack, unpack
from magma_ros.serving.application import MOST_CLIENTS
from magma_ros.serving.server import ServerSettings, is_loopback, require_token

QUESTION = {'observation/image': picture(), 'prompt': 'pick up the red cube'}
ACT = dump_json({'image': picture(), 'instruction': 'pick up the red cube'})
SECRET = 'a path, a key: secret'


@pytest.fixture(scope='module')
def server():
    with running(ScriptedModel(ACTIONS)) as server:
        yield server


@pytest.fixture(scope='module')
def failing():
    model = FailingModel()
    with running(model) as server:
        yield server, model


@pytest.fixture
def peer(server):
    with connect_websocket(ws(server), compression=None, max_size=None) as peer:
        unpack(peer.recv())
        yield peer


def ask(peer: ClientConnection, message: bytes | str) -> dict:
    """Answer, or refusal, which must come as text as in openpi's protocol."""
    peer.send(message)
    reply = peer.recv(timeout=PATIENCE_S)
    fields = json.loads(reply) if isinstance(reply, str) else unpack(reply)
    assert ('error' in fields) == isinstance(reply, str)
    return fields


@pytest.mark.parametrize(
    ('message', 'code'),
    [
        ('hello', 'malformed'),
        (b'', 'malformed'),
        (b'\xc1' * 50, 'malformed'),
        (b'\x91' * 100_000, 'malformed'),
        (b'\xdd\xff\xff\xff\xff', 'malformed'),
        (pack(QUESTION)[:-40], 'malformed'),
        (pack({b'__ndarray__': True, b'data': b'', b'dtype': '|O', b'shape': [1]}), 'malformed'),
        (pack({b'__ndarray__': True, b'data': b'', b'dtype': '<f8', b'shape': [-1]}), 'malformed'),
        (pack([1, 2]), 'malformed'),
        (pack(QUESTION | {'magma_protocol': 99}), 'protocol'),
        (pack(QUESTION | {'observation/image': np.zeros((8, 8, 3), np.uint8)}), 'image'),
        (pack(QUESTION | {'observation/image': np.zeros((16, 5000, 3), np.uint8)}), 'image'),
        (pack(QUESTION | {'observation/image': np.zeros((48, 64), np.uint8)}), 'image'),
        (pack(QUESTION | {'prompt': 'x' * 1_000_000}), 'instruction'),
    ],
    ids=range(14),
)
def test_bad_questions_are_refused_and_the_next_is_answered(peer, message, code) -> None:
    assert ask(peer, message)['error'] == code
    assert ask(peer, pack(QUESTION))['actions'].shape == (1, 7)


def test_a_message_beyond_the_limit_closes_the_connection(peer, server) -> None:
    with pytest.raises(ConnectionClosed) as caught:
        ask(peer, b'\0' * (LIMITS.message_bytes + 1))
    assert caught.value.rcvd is None or caught.value.rcvd.code == 1009
    assert HTTP.get(http(server, '/healthz')).status_code == 200


@pytest.mark.parametrize(
    ('body', 'status', 'code'),
    [
        ('', 400, 'malformed'),
        ('error', 400, 'malformed'),
        ('[' * 5000, 400, 'malformed'),
        ('{"image": {"__numpy__": "AA==", "dtype": "|O", "shape": [1]}}', 400, 'malformed'),
        ('{"encoded": 7}', 400, 'malformed'),
        ('{"instruction": "go"}', 422, 'image'),
        (dump_json({'image': picture(), 'instruction': ''}), 422, 'instruction'),
        (
            dump_json({'image': picture(), 'instruction': 'go', 'unnorm_key': 'x'}),
            400,
            'statistics',
        ),
        (
            dump_json({'image': picture(), 'instruction': 'go', 'question': 'trace'}),
            400,
            'unsupported',
        ),
        (b' ' * (LIMITS.message_bytes + 1), 413, 'too_large'),
    ],
    ids=range(10),
)
def test_bad_posts_are_refused_with_a_status_and_no_action(server, body, status, code) -> None:
    reply = HTTP.post(http(server), content=body)

    assert (reply.status_code, reply.json()['error']) == (status, code)


def test_half_a_post_is_given_up(server) -> None:
    with socket.create_connection(server.address) as half:
        half.sendall(b'POST /act HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"image"')
    assert HTTP.post(http(server), content=ACT).status_code == 200


def test_without_the_token_nothing_is_said_but_health() -> None:
    with running(ScriptedModel(ACTIONS), token=TOKEN) as server:
        for header in ({}, {'Authorization': 'Bearer wrong'}, {'Authorization': TOKEN}):
            for answer in (
                HTTP.post(http(server), content=ACT, headers=header),
                HTTP.get(http(server, '/metadata'), headers=header),
            ):
                assert (answer.status_code, answer.json()['error']) == (401, 'unauthorised')
            with pytest.raises(InvalidStatus) as caught:
                connect_websocket(ws(server), additional_headers=header)
            assert caught.value.response.status_code == 401
        assert HTTP.get(http(server, '/healthz')).status_code == 200


def test_web_pages_are_not_served(server) -> None:
    page = {'Origin': 'https://example.org'}
    assert HTTP.post(http(server), content=ACT, headers=page).json()['error'] == 'origin'
    with pytest.raises(InvalidStatus) as caught:
        connect_websocket(ws(server), origin='https://example.org')
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    ('outcome', 'code', 'reason'),
    [
        (RuntimeError(SECRET), 'internal', 'see the log'),
        (MemoryError(SECRET), 'internal', 'see the log'),
        (ModelError('no path was drawn'), 'model', 'no path was drawn'),
        (ActionAnswer((), np.full(7, np.nan)), 'model', 'seven finite numbers'),
        (ActionAnswer((), np.zeros(7)[:3]), 'internal', 'see the log'),
        (ActionDeltas((), 0.2), 'unsupported', 'behind it'),
    ],
    ids=['bug', 'memory', 'named', 'nan', 'three', 'remote'],
)
def test_a_failing_model_gives_a_refusal_without_traceback(
    failing, outcome, code, reason, caplog
) -> None:
    server, model = failing
    model.outcome = outcome
    reply = HTTP.post(http(server), content=ACT)
    with connect_websocket(ws(server)) as peer:
        unpack(peer.recv())
        refusal = ask(peer, pack(QUESTION))
        assert ask(peer, pack(QUESTION | {'question': 'answer'})) == {
            'text': '',
            'server_timing': ANY,
        }

    assert refusal == reply.json()
    assert refusal['error'] == code
    assert reason in refusal['reason']
    assert reply.status_code >= 400
    assert SECRET not in reply.text
    assert 'Traceback' not in reply.text
    if code == 'internal':
        assert 'Traceback' in caplog.text  # for us


def test_the_third_question_is_refused_at_once_and_two_are_answered() -> None:
    model, results = BlockingModel(), queue.Queue()

    def post() -> None:
        results.put(HTTP.post(url, content=ACT))

    with running(model) as server:
        url = http(server)
        threads = [threading.Thread(target=post) for _ in range(3)]
        threads[0].start()
        assert model.entered.wait(PATIENCE_S)
        for thread in threads[1:]:
            thread.start()
        first = results.get(timeout=PATIENCE_S)
        assert (first.status_code, first.json()['error']) == (503, 'busy')
        assert HTTP.get(http(server, '/healthz')).status_code == 200
        model.release.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert [results.get_nowait().status_code for _ in range(2)] == [200, 200]


def test_a_ninth_client_is_refused_and_the_others_stay(server) -> None:
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connect_websocket(ws(server))) for _ in range(MOST_CLIENTS)]
        for peer in peers:
            unpack(peer.recv(timeout=PATIENCE_S))
        with pytest.raises(InvalidStatus) as caught:
            connect_websocket(ws(server))
        assert caught.value.response.status_code == 503
        assert ask(peers[0], pack(QUESTION))['actions'].shape == (1, 7)


def test_a_model_that_hangs_is_a_timeout() -> None:
    model = BlockingModel()
    with running(model, infer_timeout_s=0.05) as server:
        reply = HTTP.post(http(server), content=ACT)
        model.release.set()
    assert (reply.status_code, reply.json()['error']) == (504, 'timeout')


def test_the_server_ends_although_the_model_hangs(monkeypatch) -> None:
    monkeypatch.setattr('magma_ros.serving.server.GRACE_S', 0.1)
    model = BlockingModel()
    with running(model) as server, connect_websocket(ws(server)) as peer:
        peer.recv()
        peer.send(pack(QUESTION))
        assert model.entered.wait(PATIENCE_S)
        server.stop()
        with pytest.raises(ConnectionClosed) as caught:
            peer.recv(timeout=PATIENCE_S)
    assert caught.value.rcvd.code == 1012  # the end of running() waits for run() to return
    model.release.set()


def test_other_machines_need_a_token() -> None:
    require_token(ServerSettings('0.0.0.0', token=TOKEN))
    for host in ('0.0.0.0', '::', '192.168.1.2', 'gpu.lab'):
        with pytest.raises(ConfigurationError, match='--token-file'):
            require_token(ServerSettings(host))
    assert all(map(is_loopback, ('127.0.0.1', '127.1.2.3', '::1', 'localhost')))


def test_a_port_that_is_taken_is_named(server) -> None:
    with (
        pytest.raises(ConfigurationError, match='choose another --port'),
        running(ScriptedModel(ACTIONS), port=server.address[1]),
    ):
        pass
