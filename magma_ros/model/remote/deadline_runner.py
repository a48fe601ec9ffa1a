"""Asynchronous exchanges from plain code, each given up at its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from magma_ros.errors import ModelError

Result = TypeVar('Result')


class DeadlineRunner:
    """An event loop of its own, which stands still between the exchanges. For one thread."""

    def __init__(self, url: str) -> None:
        """``url`` is for the message of the error."""
        self._url = url
        self._loop = asyncio.new_event_loop()

    def run(self, exchange: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
        """What the exchange gives; raises ModelError when it takes longer."""
        try:
            return self._loop.run_until_complete(asyncio.wait_for(exchange, timeout_s))
        except asyncio.TimeoutError as error:
            raise ModelError(
                f'{self._url} did not answer within {timeout_s} s: look at the load of that '
                'machine, or allow more with ?timeout_s= in the address'
            ) from error

    def close(self) -> None:
        """No more exchanges."""
        self._loop.close()
