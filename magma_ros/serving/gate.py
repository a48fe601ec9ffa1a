"""Who may ask at all: decided on the headers, before anything of a message is read."""

from __future__ import annotations

import hmac
import logging

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from magma_ros.model.remote.refusal import Refusal

LOG = logging.getLogger('magma.serve')
OPEN_TO_ALL = '/healthz'
SCHEMES = ('bearer', 'api-key')  # of the Authorization header: ours, openpi's client's


class Gate:
    """Lets in who knows the token, and no web page. Knows nothing of what is behind it."""

    def __init__(self, application: ASGIApp, token: str | None) -> None:
        self._application, self._token = application, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on or refuses, before anything of the message is read."""
        refusal = (
            None if scope['path'] == OPEN_TO_ALL else self._find_refusal(Headers(scope=scope))
        )
        if refusal is None:
            await self._application(scope, receive, send)
        else:
            LOG.warning('refused %s: %s', scope.get('client'), refusal.code)
            await refuse(refusal)(scope, receive, send)

    def _find_refusal(self, headers: Headers) -> Refusal | None:
        if 'origin' in headers:  # only browsers send it: a page of somebody's that asks localhost
            return Refusal('origin', 'web pages are not served')
        if self._token is None:
            return None
        scheme, _, token = headers.get('authorization', '').partition(' ')
        is_known = hmac.compare_digest(token.strip().encode(), self._token.encode())
        if scheme.lower() in SCHEMES and is_known:
            return None
        return Refusal('unauthorised', 'send "Authorization: Bearer TOKEN" with the right token')


def refuse(refusal: Refusal) -> Response:
    """The refusal over HTTP, also in place of opening a websocket."""
    return JSONResponse(refusal.as_message(), refusal.status)
