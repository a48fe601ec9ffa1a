"""What goes wrong between our server and our clients, and the named error it becomes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from serving_kit import (
    ACTIONS,
    PATIENCE_S,
    TOKEN,
    BlockingModel,
    FailingModel,
    act_once,
    http,
    picture,
    running,
    ws,
)

from magma_ros.errors import CameraError, ConfigurationError, InstructionError, ModelError
from magma_ros.model.backends.remote_model import connect
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.model.remote.access_token import VARIABLE


def test_act_notices_another_model_too() -> None:
    with running(ScriptedModel(ACTIONS)) as server:
        model, port = connect(http(server)), server.address[1]
    with running(ScriptedModel(ACTIONS[:1]), port=port):
        with pytest.raises(ModelError, match='now serves another model'):
            model.generate_action(picture(), 'go', None)
        model.close()


@pytest.mark.parametrize('address', [ws, http])
def test_refusals_of_our_server_become_the_right_errors(address, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, TOKEN)
    with running(FailingModel(RuntimeError('x')), token=TOKEN) as server:
        model = connect(address(server))
        with pytest.raises(CameraError, match=r'refuses \(image\): .* 8 x 8'):
            model.generate_action(np.zeros((8, 8, 3), np.uint8), 'go', None)
        with pytest.raises(InstructionError, match='empty'):
            model.generate_action(picture(), ' ', None)
        with pytest.raises(ModelError, match=r'refuses \(internal\): the model failed'):
            model.generate_action(picture(), 'go', None)
        model.close()
        with pytest.raises(ConfigurationError, match=r'refuses \(statistics\)'):
            act_once(address(server) + '?unnorm_key=google_robot')
        monkeypatch.setenv(VARIABLE, 'a-wrong-token-456')
        with pytest.raises(ConfigurationError, match=r'refuses \(unauthorised\)'):
            connect(address(server))


def test_a_picture_too_large_for_the_server_is_an_error_here() -> None:
    with running(ScriptedModel(ACTIONS)) as server:
        model = connect(ws(server) + '?timeout_s=60')
        with pytest.raises(ModelError, match='closed the connection'):
            model.generate_action(np.zeros((2000, 2000, 3), np.uint8), 'go', None)
        model.close()


@pytest.mark.parametrize('address', [ws, http])
def test_a_server_that_stops_while_it_is_asked(address) -> None:
    blocking, errors = BlockingModel(), []
    with running(blocking) as server:
        model = connect(address(server) + '?timeout_s=60')

        def ask() -> None:
            try:
                errors.append(model.generate_action(picture(), 'go', None))
            except ModelError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert blocking.entered.wait(PATIENCE_S)
        server.stop()
        if address is http:  # what is under way there is finished
            blocking.release.set()
        thread.join(PATIENCE_S)
        blocking.release.set()
    model.close()
    if address is http:
        assert errors[0].deltas
    else:
        assert 'cannot be reached' in str(errors[0]) or 'closed the connection' in str(errors[0])
