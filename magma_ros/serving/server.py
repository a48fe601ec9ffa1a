"""The server process: who may be served where, the socket, and the end."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field

import uvicorn

from magma_ros.errors import ConfigurationError
from magma_ros.model.remote.access_token import NEW_TOKEN, VARIABLE
from magma_ros.model.remote.arrays import LIMITS
from magma_ros.serving.application import Desk, make_application
from magma_ros.serving.served_model import ServedModel

LOOPBACK = '127.0.0.1'
GRACE_S = 5  # for questions under way
MOST_CONNECTIONS = 32
HEADER_BYTES = 16384


@dataclass(frozen=True)
class ServerSettings:
    """Where to listen, and for whom."""

    host: str = LOOPBACK
    port: int = 8000  # 0 takes a free one
    token: str | None = field(default=None, repr=False)
    infer_timeout_s: float = 30.0


class ModelServer:
    """Listens from the start; answers while :meth:`run` runs."""

    def __init__(self, served: ServedModel, settings: ServerSettings) -> None:
        """Takes the port.

        Raises:
            ConfigurationError: other machines could ask without a token, or the port is taken.
        """
        require_token(settings)
        self._socket = _listen(settings)
        self.address = self._socket.getsockname()[:2]
        self._desk = Desk(served, settings.infer_timeout_s)
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_application(self._desk, settings.token),
                ws='websockets-sansio',
                http='h11',
                loop='asyncio',
                lifespan='off',
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                ws_max_size=LIMITS.message_bytes,
                ws_per_message_deflate=False,  # a small message cannot unpack into a large one
                h11_max_incomplete_event_size=HEADER_BYTES,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def run(self) -> None:
        """Serve until :meth:`stop`, SIGINT or SIGTERM; ``/act`` finishes what is under way."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._desk.thread.stop(patience_s=1.0)

    def stop(self) -> None:
        """End :meth:`run`; from any thread."""
        self._server.should_exit = True


def require_token(settings: ServerSettings) -> None:
    """Raises ConfigurationError when other machines could ask without a token."""
    if settings.token is None and not is_loopback(settings.host):
        raise ConfigurationError(
            f'on {settings.host} other machines can ask: give --token-file or set {VARIABLE} '
            f'(make a token: {NEW_TOKEN}), or listen on {LOOPBACK}'
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host; names but ``localhost`` count as no."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'


def _listen(settings: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ':' in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f'cannot listen on {settings.host} port {settings.port} ({error}): choose another '
            '--port or --host'
        ) from error
