from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from magma_ros.errors import EnvironmentMissing
from magma_ros.tools.live_view import LiveView

FIRST, SECOND = b'\xff\xd8first\xff\xd9', b'\xff\xd8second one\xff\xd9'


@pytest.fixture
def view() -> Iterator[LiveView]:
    with LiveView() as view:
        yield view


def read_picture(response: http.client.HTTPResponse) -> bytes:
    assert response.readline() == b'--picture\r\n'
    assert response.readline() == b'Content-Type: image/jpeg\r\n'
    length = int(response.readline().split(b':')[1])
    assert response.readline() == b'\r\n'
    jpeg = response.read(length)
    assert response.readline() == b'\r\n'
    return jpeg


def test_the_page_shows_the_stream_and_nothing_from_elsewhere(view: LiveView) -> None:
    with urllib.request.urlopen(view.address, timeout=5) as response:
        page = response.read().decode()
    assert '<img src="/stream"' in page
    assert 'http' not in page


def test_pictures_arrive_as_they_are_shown(view: LiveView) -> None:
    view.show(FIRST)
    with urllib.request.urlopen(f'{view.address}stream', timeout=5) as response:
        assert response.headers['Content-Type'] == 'multipart/x-mixed-replace; boundary=picture'
        assert read_picture(response) == FIRST
        view.show(SECOND)
        assert read_picture(response) == SECOND


def test_closing_ends_the_stream_and_frees_the_port() -> None:
    view = LiveView()
    port = int(view.address.split(':')[2].strip('/'))
    view.show(FIRST)
    with urllib.request.urlopen(f'{view.address}stream', timeout=5) as response:
        read_picture(response)
        view.close()
        assert response.read() == b''
    with LiveView(port) as again:
        assert str(port) in again.address


def test_only_this_machine_is_served(view: LiveView) -> None:
    assert view.address.startswith('http://127.0.0.1:')
    assert view._server.server_address[0] == '127.0.0.1'


def test_a_taken_port_is_named(view: LiveView) -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentMissing, match=f'port {port} .* choose another'):
            LiveView(port)


def test_other_paths_are_not_there(view: LiveView) -> None:
    with pytest.raises(urllib.error.HTTPError, match='404'):
        urllib.request.urlopen(f'{view.address}etc/passwd', timeout=5)
