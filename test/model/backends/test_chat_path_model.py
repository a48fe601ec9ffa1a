"""Against a server on this machine that answers well, late, too much, or nonsense."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

pytest.importorskip('httpx')

from magma_ros.data_types import GripperEvent  # noqa: E402
from magma_ros.errors import ConfigurationError, InstructionError, ModelError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model  # noqa: E402
from magma_ros.model.backends.chat_path_model import ChatPathModel  # noqa: E402
from magma_ros.model.remote.arrays import REPLY_LIMITS  # noqa: E402

PATH = '<ans>[(0.25, 0.5), (0.5, 0.25), <action>Close Gripper</action>]</ans>'
TOKEN = 'long-enough-0123456789'
PICTURE = np.full((48, 64, 3), (200, 60, 20), np.uint8)


def choice(content) -> bytes:
    return json.dumps(
        {'choices': [{'message': {'role': 'assistant', 'content': content}}]}
    ).encode()


class Server(ThreadingHTTPServer):
    """Gives ``reply`` with ``status`` to every request once ``may_reply`` is set."""

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.reply, self.status = choice(PATH), 200
        self.may_reply = threading.Event()
        self.may_reply.set()
        self.heard: list[tuple[str, dict, dict]] = []

    @property
    def address(self) -> str:
        return f'openai+http://127.0.0.1:{self.server_port}/Hamster_dev'


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:  # noqa: N802 (http.server's name)
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        self.server.heard.append((self.path, dict(self.headers), body))
        self.server.may_reply.wait(30.0)
        try:
            self.send_response(self.server.status)
            self.send_header('Content-Length', str(len(self.server.reply)))
            self.end_headers()
            self.wfile.write(self.server.reply)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has given up, as it should

    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.may_reply.set()
    server.shutdown()
    thread.join()
    server.server_close()


def ask(server: Server, options: str = ''):
    model = ChatPathModel(server.address + options)
    try:
        return model.generate_trace(PICTURE, 'pick up the red cube', None)
    finally:
        model.close()


@pytest.mark.parametrize(
    'content', [f'I think: {PATH}', [{'type': 'text', 'text': PATH}]], ids=['text', 'parts']
)
def test_a_path_is_read_into_pixels(server, content) -> None:
    server.reply = choice(content)

    (trace,) = ask(server).traces

    assert trace.points_px.tolist() == [[16.0, 24.0], [32.0, 12.0]]
    assert trace.events == {1: GripperEvent.CLOSE}


def test_the_request_is_the_one_of_hamster(server, monkeypatch) -> None:
    monkeypatch.setenv('MAGMA_SERVER_TOKEN', TOKEN)
    ask(server)
    ask(server, '?endpoint=chat/completions')

    (path, headers, body), (other_path, _, _) = server.heard
    assert (path, other_path) == ('/v1/chat/completions', '/chat/completions')
    assert headers['Authorization'] == f'Bearer {TOKEN}'
    assert (body['model'], body['temperature'], body['top_p']) == ('Hamster_dev', 0.0, 0.95)
    picture, words = body['messages'][0]['content']
    assert '<quest>pick up the red cube</quest>' in words['text']
    kind, _, data = picture['image_url']['url'].partition(',')
    assert kind == 'data:image/jpeg;base64'
    seen = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(seen[..., ::-1].astype(int) - PICTURE).max() < 10  # red is still red


@pytest.mark.parametrize(
    ('status', 'reply', 'says'),
    [
        (200, b'', 'nonsense'),
        (200, b'<html>', 'nonsense'),
        (200, b'[' * 2000, 'nonsense'),
        (200, b'{}', r'no choices\[0\]'),
        (200, b'{"choices": []}', r'no choices\[0\]'),
        (200, choice(None), r'no choices\[0\]'),
        (200, choice([{'text': 7}]), 'no text'),
        (200, choice('x' * 30_000), 'no text'),
        (200, choice('I would rather not'), 'no complete <ans>'),
        (200, choice('<ans>[(2.0, 0.5)]</ans>'), 'outside 0..1'),
        (200, choice('<ans>__import__("os")</ans>'), 'no point'),
        (200, b' ' * (REPLY_LIMITS.message_bytes + 1), 'more than'),
        (404, b'{"detail": "Not Found"}', 'HTTP 404.*Not Found'),
        (400, b'{"error": {"message": "no such\\nmodel"}}', 'HTTP 400.*no such model'),
        (503, b'[1, 2]', 'HTTP 503'),
    ],
)
def test_whatever_is_wrong_is_a_named_error(server, status, reply, says) -> None:
    server.status, server.reply = status, reply

    with pytest.raises(ModelError, match=says):
        ask(server)


@pytest.mark.parametrize('status', [401, 403])
def test_a_missing_token_is_said(server, status) -> None:
    server.status = status

    with pytest.raises(ConfigurationError, match='MAGMA_SERVER_TOKEN'):
        ask(server)


def test_a_late_answer_is_given_up_and_not_asked_again(server) -> None:
    server.may_reply.clear()

    with pytest.raises(ModelError, match=r'within 0\.2 s'):
        ask(server, '?timeout_s=0.2')
    assert len(server.heard) == 1


def test_nobody_there() -> None:
    with socket.socket() as closed:  # bound and not listening: nobody else gets its port
        closed.bind(('127.0.0.1', 0))
        model = ChatPathModel(f'openai+http://127.0.0.1:{closed.getsockname()[1]}/m')
        with pytest.raises(ModelError, match='cannot be reached'):
            model.generate_trace(PICTURE, 'go', None)
        model.close()


def test_it_answers_in_words_and_never_acts(server) -> None:
    server.reply = choice('a red cube')
    acting = load_acting_model(ModelChoice(server.address), prepare_image)
    model = acting.model

    assert model.answer(PICTURE, 'what is there?') == 'a red cube'
    with pytest.raises(ModelError, match='Hamster_dev draws paths and gives no actions'):
        model.generate_action(PICTURE, 'go', None)
    with pytest.raises(ModelError, match='marks'):
        model.generate_trace(PICTURE, 'go', None, {1: np.zeros(2)})
    with pytest.raises(InstructionError):
        model.generate_trace(PICTURE, ' ', None)
    assert len(server.heard) == 1
    acting.close()


@pytest.mark.parametrize(
    ('address', 'says'),
    [
        ('openai+http://gpu:8000', 'names no model'),
        ('openai+http://gpu:8000/m?actions=bridge', 'options are endpoint'),
        ('openai+http://me:secret@gpu/m', 'no secrets'),
        ('openai+http:///m', 'no address'),
        ('openai+http://gpu/m?timeout_s=0', 'give seconds'),
    ],
)
def test_wrong_addresses(address, says) -> None:
    with pytest.raises(ConfigurationError, match=says):
        ChatPathModel(address)
