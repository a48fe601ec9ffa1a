"""What an /act server may answer instead of an action, and the named error it becomes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from serving_kit import (
    PATIENCE_S,
    act_once,
    foreign_http,
    picture,
    send_body,
)

from magma_ros.errors import ModelError
from magma_ros.model.backends.remote_model import connect
from magma_ros.model.remote.arrays import REPLY_LIMITS, dump_json


@pytest.mark.parametrize(
    ('body', 'status', 'reason'),
    [
        (b'"error"', 200, 'gave no action .*error'),
        (b'error', 200, 'nonsense'),
        (b'<html>oh</html>', 200, 'nonsense'),
        (b'<html>oh</html>', 502, 'nonsense .HTTP 502'),
        (b'{"detail": "Not Found"}', 404, 'gave no action .HTTP 404'),
        (b'[1, 2, 3]', 200, 'shape'),
        (dump_json(np.full(7, 2.0)).encode(), 500, 'HTTP 500'),
        (b'{"__numpy__": "AAAA", "dtype": "<f8", "shape": [7]}', 200, 'nonsense'),
        (b'[NaN, 0, 0, 0, 0, 0, 0]', 200, 'nonsense'),
        (b'[' + b'0,' * 9999 + b'0]', 200, 'nonsense .*commas'),
        (b'[' * 17 + b']' * 17, 200, 'nonsense .*within each other'),
        (b' ' * (REPLY_LIMITS.message_bytes + 1), 200, 'broke off .*more than'),
    ],
    ids=range(12),
)
def test_act_answers_that_are_no_action(body, status, reason) -> None:
    with (
        foreign_http(lambda handler, _: send_body(handler, body, status)) as address,
        pytest.raises(ModelError, match=reason),
    ):
        act_once(address)


def test_act_that_is_slow_or_breaks_off() -> None:
    done, cut = threading.Event(), []

    def answer(handler, _) -> None:
        if cut:
            handler.send_response(200)
            handler.send_header('Content-Length', '100')
            handler.end_headers()
            handler.wfile.write(b'[0, 0')
        else:
            assert done.wait(PATIENCE_S)

    with foreign_http(answer) as address:
        model = connect(f'{address}?timeout_s=0.1')
        with pytest.raises(ModelError, match='within 0.1 s'):
            model.generate_action(picture(), 'go', None)
        done.set()
        model.close()
        cut.append(True)
        with pytest.raises(ModelError, match='broke off'):
            act_once(address)
