"""OpenVLA's ``POST /act``: to our own server (``magma serve``), or to OpenVLA's.

Source: OpenVLA ``vla-scripts/deploy.py``. A picture and a sentence in, seven numbers out, arrays
as json_numpy writes them. OpenVLA answers a failure with the string "error" and HTTP 200.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import httpx
import numpy as np
from numpy.typing import NDArray

from magma_ros.data_types import ArmState
from magma_ros.errors import MagmaError, ModelError
from magma_ros.model.backends.http_exchange import HttpExchange
from magma_ros.model.remote.arrays import REPLY_LIMITS, MalformedMessage, dump_json, load_json
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
        self._http = HttpExchange(server, '"magma serve"')
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
        reply, body = self._http.post(dump_json(fields))
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
        self._http.close()

    def _read_metadata(self) -> ServerMetadata | None:
        url = urljoin(self.server.url, '/metadata')
        reply, body = self._http.get(url)
        if reply.status_code in NOT_THERE:  # OpenVLA's server has no such page
            return None
        message = self._read(reply, body)
        if reply.is_error:
            raise ModelError(f'{url}: HTTP {reply.status_code}: is it an OpenVLA server?')
        return read_metadata(message)

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
