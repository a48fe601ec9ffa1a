"""Shows pictures as they come in the browser: a page on this machine only, no window toolkit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from magma_ros.errors import EnvironmentMissing

LOOPBACK = '127.0.0.1'
BOUNDARY = 'picture'
WAIT_S = 1.0  # then the last picture is sent again, so that a closed browser is noticed
PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>magma_ros, live</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #12161c;
  color: #98a4b3; font: 16px system-ui, sans-serif; }
img { width: min(100vw, 133vh); display: block; }
</style></head>
<body><img src="/stream" alt="waiting for the first picture"></body></html>
"""


class LiveView:
    """A tiny web server on a free port of the loopback interface; use with ``with``.

    Args:
        port: 0 takes a free one.

    Raises:
        EnvironmentMissing: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._changed = threading.Condition()
        self._jpeg, self._count, self._is_open = b'', 0, True
        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), self._handler())
        except OSError as error:
            raise EnvironmentMissing(
                f'port {port} of {LOOPBACK} cannot be used for the live view ({error.strerror}); '
                'choose another one, or 0 for any'
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name='live view', daemon=True
        )
        self._thread.start()

    def __enter__(self) -> LiveView:
        """For ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes."""
        self.close()

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f'http://{LOOPBACK}:{self._server.server_address[1]}/'

    def show(self, jpeg: bytes) -> None:
        """The next picture; viewers that are slow miss some."""
        with self._changed:
            self._jpeg, self._count = jpeg, self._count + 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let the viewers go and free the port."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _pictures(self) -> Iterator[bytes]:
        """Each new picture, until closed."""
        shown = 0

        def has_news() -> bool:
            return self._count != shown or not self._is_open

        while True:
            with self._changed:
                self._changed.wait_for(has_news, WAIT_S)
                if not self._is_open:
                    return
                jpeg, shown = self._jpeg, self._count
            if jpeg:
                yield jpeg

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        view = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 (the name http.server looks for)
                """The page, or the stream of pictures."""
                if self.path == '/':
                    self._begin('text/html; charset=utf-8')
                    self.wfile.write(PAGE)
                elif self.path == '/stream':
                    self._begin(f'multipart/x-mixed-replace; boundary={BOUNDARY}')
                    self._stream()
                else:
                    self.send_error(HTTPStatus.NOT_FOUND)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Requests are not worth a line."""

            def _begin(self, kind: str) -> None:
                self.send_response(HTTPStatus.OK)
                self.send_header('Content-Type', kind)
                self.send_header('Cache-Control', 'no-store')
                self.end_headers()

            def _stream(self) -> None:
                try:
                    for jpeg in view._pictures():
                        head = f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n'
                        head += f'Content-Length: {len(jpeg)}\r\n\r\n'
                        self.wfile.write(head.encode() + jpeg + b'\r\n')
                except (BrokenPipeError, ConnectionResetError):
                    return  # the browser was closed

        return Handler
