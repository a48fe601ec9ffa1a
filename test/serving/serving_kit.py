"""Servers on free ports, ours and stubs of other people's, and what the tests ask them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
from websockets.sync.server import ServerConnection, serve

from magma_ros.data_types import ArmState
from magma_ros.model.action_model import ActionDeltas
from magma_ros.model.action_scaling import load_statistics
from magma_ros.model.backends.remote_model import connect
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.rotations import DOWN, make_pose
from magma_ros.serving.served_model import ServedModel
from magma_ros.serving.server import ModelServer, ServerSettings

STATISTICS = load_statistics('magma_nano_sim')
ACTIONS = [[0.5, -0.5, 0.25, 0.1, 0.0, 0.1, 1.0], [-0.3, 0.1, 0.0, 0.0, 0.2, -0.4, 0.0]]
TOKEN = 'only-for-the-tests-0123'
PATIENCE_S = 60.0  # a test that waits so long has failed
# Without certificates, which take longer to read than most tests run.
HTTP = httpx.Client(verify=False, trust_env=False, timeout=PATIENCE_S)


def picture(seed: int = 0, height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def arm_state(x_m: float = 0.3) -> ArmState:
    pose = make_pose(np.array([x_m, 0.05, 0.15]), DOWN)
    return ArmState(np.zeros(6), np.zeros(6), pose, 0.7, 1)


class BlockingModel(ScriptedModel):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(ACTIONS)
        self.entered, self.release = threading.Event(), threading.Event()

    def generate_action(self, image_rgb, instruction, state):
        self.entered.set()
        assert self.release.wait(PATIENCE_S)
        return super().generate_action(image_rgb, instruction, state)


class FailingModel(ScriptedModel):
    """Raises, or answers, what it is given."""

    def __init__(self, outcome=None) -> None:
        super().__init__(ACTIONS)
        self.outcome = outcome

    def generate_action(self, image_rgb, instruction, state):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@contextmanager
def running(served: ServedModel | ScriptedModel, **settings) -> Iterator[ModelServer]:
    """Our server in a thread."""
    if not isinstance(served, ServedModel):
        served = ServedModel(served, STATISTICS)
    server = ModelServer(served, ServerSettings(port=settings.pop('port', 0), **settings))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def ws(server: ModelServer) -> str:
    return f'ws://127.0.0.1:{server.address[1]}'


def http(server: ModelServer, path: str = '/act') -> str:
    return f'http://127.0.0.1:{server.address[1]}{path}'


@contextmanager
def foreign_websocket(talk: Callable[[ServerConnection], None]) -> Iterator[str]:
    """Somebody else's websocket server; ``talk`` is one conversation."""
    with serve(talk, '127.0.0.1', 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'ws://127.0.0.1:{server.socket.getsockname()[1]}'
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)


@contextmanager
def foreign_http(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """Somebody else's ``/act``, which has no metadata; ``answer`` gets each question's body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers['Content-Length'])))

        def log_message(self, *_) -> None:
            """Quiet."""

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02})
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_address[1]}/act'
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)


def send_body(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header('Content-Length', str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def raw_listener(reply: bytes) -> Iterator[int]:
    """A port at which every connection gets these bytes, whatever it says, and is closed."""
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(reply)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE_S)


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


def act_once(address: str) -> ActionDeltas:
    """One action of the server at an address."""
    model = connect(address)
    try:
        return model.generate_action(picture(), 'go', None)
    finally:
        model.close()
