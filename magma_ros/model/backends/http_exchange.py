"""One question and one answer over HTTP: at one deadline, of bounded size, errors that say why."""

from __future__ import annotations

import ssl

import httpx

from magma_ros.errors import ModelError
from magma_ros.model.remote.arrays import REPLY_LIMITS
from magma_ros.model.remote.deadline_runner import DeadlineRunner
from magma_ros.model.remote.server_address import RemoteServer


class HttpExchange:
    """One HTTP client; its connections are kept while the server keeps them. For one thread.

    Args:
        server: whom to ask.
        start: what to start when nobody is there, for the message of the error.
    """

    def __init__(self, server: RemoteServer, start: str) -> None:
        self._server, self._start = server, start
        self._runner = DeadlineRunner(server.url)
        self._client = httpx.AsyncClient(
            headers=server.headers,
            timeout=None,  # the runner's deadline covers the whole exchange
            trust_env=False,
            verify=ssl.create_default_context() if server.url.startswith('https') else False,
        )

    def get(self, url: str) -> tuple[httpx.Response, bytes]:
        """What a page says; raises ModelError."""
        return self._runner.run(self._send_again('GET', url, ''), self._server.connect_timeout_s)

    def post(self, body: str) -> tuple[httpx.Response, bytes]:
        """The answer of the server to a JSON text; raises ModelError."""
        return self._runner.run(
            self._send_again('POST', self._server.url, body), self._server.reply_timeout_s
        )

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._client.aclose(), self._server.connect_timeout_s)
        self._runner.close()

    async def _send_again(self, method: str, url: str, body: str) -> tuple[httpx.Response, bytes]:
        """The reply; asks once more when the connection was lost, within the same deadline."""
        for retries_left in range(self._server.retries, -1, -1):
            try:
                return await self._send(method, url, body)
            except httpx.ConnectError as error:
                raise ModelError(
                    f'{url} cannot be reached ({error}): start {self._start} there, and look at '
                    'host, port and firewall'
                ) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if retries_left == 0:
                    raise ModelError(
                        f'{url} broke off ({type(error).__name__}: {error}): see its log'
                    ) from error
        raise AssertionError('the last try returns or raises')

    async def _send(self, method: str, url: str, body: str) -> tuple[httpx.Response, bytes]:
        headers = {'Content-Type': 'application/json', 'Accept-Encoding': 'identity'}
        received = bytearray()
        async with self._client.stream(method, url, content=body, headers=headers) as reply:
            async for part in reply.aiter_raw():
                received += part
                if len(received) > REPLY_LIMITS.message_bytes:
                    raise httpx.ReadError(f'more than {REPLY_LIMITS.message_bytes} bytes')
            return reply, bytes(received)
