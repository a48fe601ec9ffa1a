"""How the rig's processes are told what to do: a line of JSON in, a line of JSON out.

Outside of ROS, so that no fault of the middleware can cut the rig off.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from magma_ros.errors import MagmaError

Handler = Callable[..., Mapping[str, Any] | None]


class CommandServer:
    """Answers ``{"do": name, ...}`` with what the handler of that name returns.

    Every answer has ``at_s``: when the command was taken up, on the monotonic clock, unless the
    handler knows better. An error is an answer, too: ``{"error": text}``.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)
        self._thread = threading.Thread(target=self.serve, name='commands', daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether commands can still come; they cannot when the runner has gone."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def serve(self) -> None:
        """Answer until the runner closes its end."""
        for line in sys.stdin:
            sys.stdout.write(json.dumps(self.answer(line)) + '\n')
            sys.stdout.flush()

    def answer(self, line: str) -> dict[str, Any]:
        """What one line is answered with."""
        at_s = time.monotonic()
        try:
            command = json.loads(line)
            result = self._handlers[command.pop('do')](**command)
        except (MagmaError, KeyError, TypeError, ValueError, OSError) as error:
            return {'error': f'{type(error).__name__}: {error}'}
        return {'at_s': at_s, **(result or {})}
