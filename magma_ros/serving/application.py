"""The two protocols on one port, as an ASGI application.

| path | protocol |
|---|---|
| ``/`` (websocket) | openpi: metadata on connection, then an answer for each observation |
| ``POST /act`` | OpenVLA: picture and sentence in, seven numbers out |
| ``GET /metadata`` | what the websocket says first, as JSON |
| ``GET /healthz`` | OK while the server runs; needs no token |
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from magma_ros.model.remote.arrays import (
    LIMITS,
    MalformedMessage,
    dump_json,
    load_json,
    pack,
    unpack,
)
from magma_ros.model.remote.protocol import MODEL_HEADER
from magma_ros.model.remote.refusal import Refusal
from magma_ros.serving.gate import Gate, refuse
from magma_ros.serving.inference_thread import InferenceThread
from magma_ros.serving.served_model import Outcome, ServedModel

LOG = logging.getLogger('magma.serve')
MOST_CLIENTS = 8  # websockets open at the same time
BODY_TIMEOUT_S = 5.0


class Desk:
    """Takes questions from both protocols to the one thread that asks the model."""

    def __init__(self, served: ServedModel, infer_timeout_s: float) -> None:
        self.served = served
        self.thread: InferenceThread[tuple[float, Outcome]] = InferenceThread()
        self._infer_timeout_s = infer_timeout_s
        self._clients = 0

    async def ask(
        self, data: bytes, read: Callable[[bytes], Any]
    ) -> tuple[Outcome, dict[str, float]]:
        """Outcome and times in ms; raises Refusal for every failure there is."""
        arrived_s = time.perf_counter()

        def respond() -> tuple[float, Outcome]:
            return time.perf_counter(), self.served.respond(data, read)

        try:
            future = asyncio.wrap_future(self.thread.submit(respond))
            started_s, outcome = await asyncio.wait_for(future, self._infer_timeout_s)
        except Refusal:
            raise
        except asyncio.TimeoutError:
            LOG.error('the model did not answer within %s s', self._infer_timeout_s)
            raise Refusal('timeout', f'no answer within {self._infer_timeout_s} s') from None
        # A model may raise anything; its traceback is for our log, not for the peer.
        except Exception as error:
            LOG.exception('the model failed')
            raise Refusal('internal', 'the model failed: see the log of the server') from error
        return outcome, {
            'queue_ms': 1e3 * (started_s - arrived_s),
            'prepare_ms': outcome.prepare_ms,
            'infer_ms': outcome.infer_ms,
        }

    async def serve_openpi(self, websocket: WebSocket) -> None:
        """One client for as long as it stays."""
        if self._clients >= MOST_CLIENTS:
            await refuse(Refusal('busy', f'{MOST_CLIENTS} clients are connected'))(
                websocket.scope, websocket.receive, websocket.send
            )
            return
        self._clients += 1
        try:
            await websocket.accept()
            await websocket.send_bytes(pack(self.served.describe().as_message()))
            while True:
                message = await websocket.receive()
                if message['type'] == 'websocket.disconnect':
                    return
                await self._reply(websocket, message.get('bytes'))
        except WebSocketDisconnect:
            LOG.info('a client left before its answer')
        finally:
            self._clients -= 1

    async def _reply(self, websocket: WebSocket, data: bytes | None) -> None:
        try:
            if data is None:
                raise Refusal('malformed', 'a text frame: send msgpack in a binary one')
            outcome, times_ms = await self.ask(data, unpack)
        except Refusal as refusal:
            # In openpi's protocol a text frame is an error: its client raises with the text.
            await websocket.send_text(json.dumps(refusal.as_message()))
            return
        name = 'text' if isinstance(outcome.answer, str) else 'actions'
        await websocket.send_bytes(pack({name: outcome.answer, 'server_timing': times_ms}))

    async def serve_act(self, request: Request) -> Response:
        """One action."""
        try:
            body = await asyncio.wait_for(_read_body(request), BODY_TIMEOUT_S)
            double = _DoubleEncoding()
            outcome, times_ms = await self.ask(body, double.read)
            if isinstance(outcome.answer, str):
                raise Refusal('unsupported', 'only actions are given here: ask through ws://')
        except asyncio.TimeoutError:
            return refuse(Refusal('timeout', f'no question within {BODY_TIMEOUT_S} s'))
        except Refusal as refusal:
            return refuse(refusal)
        text = dump_json(outcome.answer[0])
        timing = ', '.join(f'{name[:-3]};dur={ms:.3f}' for name, ms in times_ms.items())
        return Response(
            json.dumps(text) if double.is_used else text,
            media_type='application/json',
            headers={
                'Server-Timing': timing,
                MODEL_HEADER: self.served.model.identity.sha256,
            },
        )

    async def serve_metadata(self, request: Request) -> Response:
        """The handshake for HTTP."""
        return JSONResponse(self.served.describe().as_message())


class _DoubleEncoding:
    """OpenVLA's way for clients without json_numpy: the message as a string in ``encoded``."""

    is_used = False

    def read(self, data: bytes) -> Any:
        message = load_json(data)
        if isinstance(message, dict) and list(message) == ['encoded']:
            self.is_used = True
            if not isinstance(message['encoded'], str):
                raise MalformedMessage('"encoded" holds no text')
            return load_json(message['encoded'])
        return message


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LIMITS.message_bytes:
                raise Refusal('too_large', f'more than {LIMITS.message_bytes} bytes')
    except ClientDisconnect:
        raise Refusal('malformed', 'half a question') from None
    return bytes(body)


async def _is_healthy(request: Request) -> Response:
    return PlainTextResponse('OK\n')


def make_application(desk: Desk, token: str | None) -> ASGIApp:
    """Both protocols of the desk behind one gate."""
    routes = [
        WebSocketRoute('/', desk.serve_openpi),
        Route('/act', desk.serve_act, methods=['POST']),
        Route('/metadata', desk.serve_metadata),
        Route('/healthz', _is_healthy),
    ]
    return Gate(Starlette(routes=routes), token)
