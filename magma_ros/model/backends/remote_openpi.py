"""openpi's websocket protocol: to our own server (``magma serve``), or to openpi's.

Source: openpi ``serving/websocket_policy_server.py``. The server sends metadata, then answers each
observation; a text frame is an error. Ours also draws traces and answers questions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from magma_ros.data_types import ArmState
from magma_ros.errors import MagmaError, ModelError
from magma_ros.model.remote.arrays import (
    REPLY_LIMITS,
    MalformedMessage,
    load_json,
    pack,
    unpack,
)
from magma_ros.model.remote.deadline_runner import DeadlineRunner
from magma_ros.model.remote.protocol import (
    GRIPPER,
    POSE,
    PROTOCOL,
    PROTOCOL_VERSION,
    QUESTION,
    STATISTICS,
    Question,
    ServerMetadata,
    read_metadata,
    state_fields,
)
from magma_ros.model.remote.refusal import error_of
from magma_ros.model.remote.server_address import RemoteServer


class OpenpiLink:
    """One connection, which is opened again when it was lost."""

    foreign_name = 'openpi'

    def __init__(self, server: RemoteServer) -> None:
        """Connects; raises ModelError, or ConfigurationError for a wrong token."""
        self.server = server
        self._runner = DeadlineRunner(server.url)
        self._connection: ClientConnection | None = None
        try:
            self.metadata = self._runner.run(self._open(), server.connect_timeout_s)
        except MagmaError:
            self.close()
            raise
        self.questions = self.metadata.questions if self.metadata else ('action',)

    def ask(
        self,
        question: Question,
        image_rgb: NDArray[np.uint8],
        text: str,
        state: ArmState | None,
    ) -> Any:
        """``actions`` or ``text`` of the reply."""
        fields: dict[str, Any] = dict.fromkeys(self.server.image_keys, image_rgb)
        fields['prompt'] = text
        if self.server.statistics is not None:
            fields[STATISTICS] = self.server.statistics
        if self.metadata is not None:
            fields |= {PROTOCOL: PROTOCOL_VERSION, QUESTION: question}
            fields |= state_fields(state if self.metadata.takes_state else None)
        elif self.server.state_key is not None and state is not None:
            ours = state_fields(state)
            fields[self.server.state_key] = np.append(ours[POSE], ours[GRIPPER])
        try:
            reply = self._runner.run(self._exchange(pack(fields)), self.server.reply_timeout_s)
        except MagmaError:
            self._drop()  # a late reply must not pass for that to the next question
            raise
        message = read_reply(reply, self.server.url)
        return message.get('actions' if question == 'action' else 'text')

    def close(self) -> None:
        """Close the connection."""
        self._drop()
        self._runner.close()

    async def _exchange(self, message: bytes) -> bytes | str:
        """The reply, on a fresh connection where the old one is closed."""
        for retries_left in range(self.server.retries, -1, -1):
            if self._connection is None:
                await self._reopen()
            assert self._connection is not None
            try:
                await self._connection.send(message)
                return await self._connection.recv()
            except ConnectionClosed as error:
                self._connection = None
                if retries_left == 0:
                    raise ModelError(
                        f'{self.server.url} closed the connection ({error}): see its log'
                    ) from error
        raise AssertionError('the last try returns or raises')

    async def _open(self) -> ServerMetadata | None:
        url = self.server.url
        try:
            self._connection = await _connect(self.server)
            first = await self._connection.recv()
            if isinstance(first, str):
                raise MalformedMessage(f'the text {first[:60]!r}')
            return read_metadata(unpack(first, REPLY_LIMITS))
        except InvalidStatus as error:
            refused = _read_refusal(bytes(error.response.body or b''), url)
            raise refused or ModelError(f'{url} is no openpi server: {error}') from error
        except MalformedMessage as error:
            raise ModelError(
                f'{url} began with nonsense ({error}): is it an openpi server?'
            ) from error
        except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed) as error:
            raise ModelError(
                f'{url} cannot be reached ({error}): start "magma serve" there, and look at host, '
                'port and firewall'
            ) from error

    async def _reopen(self) -> None:
        if await self._open() != self.metadata:
            raise ModelError(
                f'{self.server.url} now serves another model: start again, so that recordings '
                'name the right one'
            )

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._runner.run(_abort(connection), self.server.connect_timeout_s)


def read_reply(reply: bytes | str, url: str) -> dict[str, Any]:
    """The fields of a reply; raises the error that a refusal or nonsense stands for."""
    if isinstance(reply, str):
        # openpi sends the traceback of its failure; its last line says what it was.
        last = (reply.strip().splitlines() or ['no reason given'])[-1][:300]
        raise _read_refusal(reply, url) or ModelError(f'{url} failed: {last}; see its log')
    try:
        message = unpack(reply, REPLY_LIMITS)
    except MalformedMessage as error:
        raise ModelError(f'{url} answered nonsense ({error}): see its log') from error
    if not isinstance(message, dict):
        raise ModelError(f'{url} answered nonsense ({type(message).__name__}): see its log')
    return message


def _read_refusal(text: bytes | str, url: str) -> MagmaError | None:
    try:
        return error_of(load_json(text, REPLY_LIMITS), url)
    except MalformedMessage:
        return None


async def _connect(server: RemoteServer) -> ClientConnection:
    return await connect(
        server.url,
        additional_headers=server.headers,
        compression=None,  # a small message cannot unpack into a large one
        max_size=REPLY_LIMITS.message_bytes,
        open_timeout=None,  # the runner has a deadline
        ping_interval=None,  # its loop stands still between the questions
        proxy=None,
    )


async def _abort(connection: ClientConnection) -> None:
    connection.transport.abort()
    await connection.wait_closed()
