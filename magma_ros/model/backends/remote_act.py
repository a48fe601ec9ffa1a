"""OpenVLA's ``POST /act``: to our own server (``magma serve``), or to OpenVLA's.

Source: OpenVLA ``vla-scripts/deploy.py``. A picture and a sentence in, seven numbers out, arrays
as json_numpy writes them. OpenVLA answers a failure with the string "error" and HTTP 200.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urljoin

import httpx
import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.errors import MagmaError, ModelError
from magma_ros.model.remote.arrays import REPLY_LIMITS, MalformedMessage, dump_json, load_json
from magma_ros.model.remote.deadline_runner import DeadlineRunner
from magma_ros.model.remote.protocol import (
    MODEL_HEADER,
    PROTOCOL,
    PROTOCOL_VERSION,
    STATISTICS,
    Question,
    ServerMetadata,
    read_metadata,
    state_fields,
)
from magma_ros.model.remote.refusal import error_of
from magma_ros.model.remote.server_address import RemoteServer

NOT_THERE = (404, 405)


class ActLink:
    """One HTTP client; its connections are kept while the server keeps them."""

    foreign_name = 'openvla'
    questions: tuple[str, ...] = ('action',)

    def __init__(self, server: RemoteServer) -> None:
        """Asks who is there; raises ModelError, or ConfigurationError for a wrong token."""
        self.server = server
        self._runner = DeadlineRunner(server.url)
        self._client = httpx.AsyncClient(
            headers=server.headers,
            timeout=None,  # the runner's deadline covers the whole exchange
            trust_env=False,
            verify=ssl.create_default_context() if server.url.startswith('https') else False,
        )
        try:
            self.metadata = self._read_metadata()
        except MagmaError:
            self.close()
            raise

    def ask(
        self,
        question: Question,
        image_rgb: NDArray[np.uint8],
        text: str,
        state: ArmState | None,
    ) -> Any:
        """The array of the reply."""
        fields: dict[str, Any] = {'image': image_rgb, 'instruction': text}
        if self.server.statistics is not None:
            fields[STATISTICS] = self.server.statistics
        if self.metadata is not None:
            fields[PROTOCOL] = PROTOCOL_VERSION
            fields |= state_fields(state if self.metadata.takes_state else None)
        reply, body = self._exchange('POST', self.server.url, dump_json(fields))
        message = self._read(reply, body)
        if reply.is_error or isinstance(message, (str, dict)):
            raise ModelError(
                f'{self.server.url} gave no action (HTTP {reply.status_code}, '
                f'{str(message)[:100]!r}): see its log'
            )
        if self.metadata and reply.headers.get(MODEL_HEADER) != self.metadata.sha256:
            raise ModelError(
                f'{self.server.url} now serves another model: start again, so that recordings '
                'name the right one'
            )
        return message

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._client.aclose(), self.server.connect_timeout_s)
        self._runner.close()

    def _read_metadata(self) -> ServerMetadata | None:
        url = urljoin(self.server.url, '/metadata')
        reply, body = self._exchange('GET', url, '')
        if reply.status_code in NOT_THERE:  # OpenVLA's server has no such page
            return None
        message = self._read(reply, body)
        if reply.is_error:
            raise ModelError(f'{url}: HTTP {reply.status_code}: is it an OpenVLA server?')
        return read_metadata(message)

    def _exchange(self, method: str, url: str, body: str) -> tuple[httpx.Response, bytes]:
        wait_s = self.server.reply_timeout_s if body else self.server.connect_timeout_s
        return self._runner.run(self._send_again(method, url, body), wait_s)

    async def _send_again(self, method: str, url: str, body: str) -> tuple[httpx.Response, bytes]:
        """The reply; asks once more when the connection was lost, within the same deadline."""
        for retries_left in range(self.server.retries, -1, -1):
            try:
                return await self._send(method, url, body)
            except httpx.ConnectError as error:
                raise ModelError(
                    f'{url} cannot be reached ({error}): start "magma serve" there, and look at '
                    'host, port and firewall'
                ) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if retries_left == 0:
                    raise ModelError(
                        f'{url} broke off ({type(error).__name__}: {error}): see its log'
                    ) from error
        raise AssertionError('the last try returns or raises')

    async def _send(self, method: str, url: str, body: str) -> tuple[httpx.Response, bytes]:
        headers = {'Content-Type': 'application/json'}
        received = bytearray()
        async with self._client.stream(method, url, content=body, headers=headers) as reply:
            async for part in reply.aiter_raw():
                received += part
                if len(received) > REPLY_LIMITS.message_bytes:
                    raise httpx.ReadError(f'more than {REPLY_LIMITS.message_bytes} bytes')
            return reply, bytes(received)

    def _read(self, reply: httpx.Response, body: bytes) -> Any:
        try:
            message = load_json(body, REPLY_LIMITS)
        except MalformedMessage as error:
            raise ModelError(
                f'{self.server.url} answered nonsense (HTTP {reply.status_code}, {error}): '
                'is it an OpenVLA server?'
            ) from error
        refused = error_of(message, self.server.url)
        if refused is not None:
            raise refused
        return message
