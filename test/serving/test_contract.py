"""Asked through either protocol, a model says exactly what it says when asked directly."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import msgpack
import numpy as np
import pytest
from serving_kit import (
    ACTIONS,
    HTTP,
    STATISTICS,
    TOKEN,
    arm_state,
    foreign_http,
    foreign_websocket,
    http,
    picture,
    running,
    send_body,
    ws,
)
from websockets.sync.client import connect as connect_websocket

from magma_ros.data_types import CameraImage, CameraModel, Observation
from magma_ros.errors import ModelError
from magma_ros.image.image_preparation import prepare_image
from magma_ros.model.action_scaling import unnormalise
from magma_ros.model.backends.onnx_model import load_onnx_model
from magma_ros.model.backends.remote_model import connect
from magma_ros.model.backends.scripted_model import ScriptedModel
from magma_ros.model.remote.access_token import VARIABLE
from magma_ros.model.remote.arrays import pack, unpack
from magma_ros.pipeline import PredictMemory, predict
from magma_ros.resources import asset_path
from magma_ros.rotations import DOWN, make_pose

SENTENCE = 'put the red cube on the blue plate'
ADDRESSES = (ws, http)
CAMERA = CameraModel(64, 48, 60.0, 60.0, 32.0, 24.0, make_pose(np.zeros(3), DOWN))


@pytest.fixture(scope='module')
def nano():
    return load_onnx_model(asset_path('nano'), prepare_image)


@pytest.fixture(scope='module')
def nano_server(nano):
    with running(nano) as server:
        yield server


@pytest.fixture(scope='module')
def scripted_server():
    model = ScriptedModel(ACTIONS)
    with running(model, token=TOKEN) as server:
        yield server, model


@pytest.fixture
def scripted(scripted_server, monkeypatch):
    """A server whose model is at the beginning, and the token for it in the environment."""
    server, model = scripted_server
    model.reset()
    monkeypatch.setenv(VARIABLE, TOKEN)
    return server


def observation() -> Observation:
    return Observation(CameraImage(picture(), 5, 'camera'), arm_state(), CAMERA, lambda: None)


def predict_deltas(model, statistics) -> np.ndarray:
    memory, frame = PredictMemory(), 'wx250s/base_link'
    chunk = predict(memory, model, statistics, observation(), SENTENCE, 'direct', frame)
    assert (chunk.step_s, chunk.reference, chunk.image_stamp_ns) == (0.2, 'measured', 5)
    return np.array(
        [[*d.translation_m, *d.rotation_vector_rad, d.gripper_opening] for d in chunk.deltas]
    )


@pytest.mark.parametrize('address', ADDRESSES)
def test_scripted_actions_are_the_same_bit_for_bit(address, scripted) -> None:
    here, there = ScriptedModel(ACTIONS), connect(address(scripted))
    for _ in range(3):
        expected = predict_deltas(here, STATISTICS)
        np.testing.assert_array_equal(predict_deltas(there, None), expected)
    there.close()


@pytest.mark.parametrize('address', ADDRESSES)
def test_nanos_actions_are_the_same_bit_for_bit(address, nano, nano_server) -> None:
    there = connect(address(nano_server))

    np.testing.assert_array_equal(predict_deltas(there, None), predict_deltas(nano, STATISTICS))
    without_state = there.generate_action(picture(), SENTENCE, None).deltas[0]
    direct = nano.generate_action(picture(), SENTENCE, None)
    metres = unnormalise(direct.normalised, STATISTICS)[:3]
    np.testing.assert_array_equal(without_state.translation_m, metres)
    there.close()


def test_traces_come_through_the_websocket_and_words_nano_has_none(nano, nano_server) -> None:
    there = connect(ws(nano_server))

    trace = there.generate_trace(picture(), SENTENCE, arm_state())
    direct = nano.generate_trace(picture(), SENTENCE, arm_state())

    assert trace.text == direct.text
    assert len(trace.traces) == len(direct.traces) > 0
    np.testing.assert_array_equal(trace.traces[0].points_px, direct.traces[0].points_px)
    assert trace.traces[0].events == direct.traces[0].events
    with pytest.raises(ModelError, match='magma-nano has no words'):
        there.answer(picture(), 'what is it?')
    there.close()


@pytest.mark.parametrize('address', ADDRESSES)
def test_the_identity_is_the_servers_and_marked_as_remote(address, nano, nano_server) -> None:
    there = connect(address(nano_server))

    assert there.identity.sha256 == nano.identity.sha256
    assert there.identity.name == f'{nano.identity.name} (remote, {address(nano_server)})'
    there.close()


def test_a_restart_of_the_server_is_survived() -> None:
    with running(ScriptedModel(ACTIONS)) as server:
        clients = [connect(address(server)) for address in ADDRESSES]
        for client in clients:
            client.generate_action(picture(), SENTENCE, None)
    with running(ScriptedModel(ACTIONS), port=server.address[1]):
        for client, expected in zip(clients, ACTIONS, strict=True):
            (delta,) = client.generate_action(picture(), SENTENCE, None).deltas
            assert np.sign(delta.translation_m[0]) == np.sign(expected[0])
            client.close()


def as_openpi_packs(value):
    """``openpi_client.msgpack_numpy.pack_array``, what openpi's own client uses."""
    return {
        b'__ndarray__': True,
        b'data': value.tobytes(),
        b'dtype': value.dtype.str,
        b'shape': value.shape,
    }


def as_openpi_unpacks(fields):
    if b'__ndarray__' in fields:
        dtype = np.dtype(fields[b'dtype'])
        return np.ndarray(buffer=fields[b'data'], dtype=dtype, shape=fields[b'shape'])
    return fields


def test_openpis_own_client_is_served(scripted) -> None:
    """The calls of ``websocket_client_policy.py`` with its LIBERO example as observation."""
    example = {
        'observation/state': np.random.default_rng(0).random(8),
        'observation/image': picture(height=224, width=224),
        'observation/wrist_image': picture(1, 224, 224),
        'prompt': 'do something',
    }
    headers = {'Authorization': f'Api-Key {TOKEN}'}
    with connect_websocket(
        ws(scripted), compression=None, max_size=None, additional_headers=headers
    ) as socket:
        metadata = msgpack.unpackb(socket.recv(), object_hook=as_openpi_unpacks)
        replies = []
        for _ in range(2):
            socket.send(msgpack.packb(example, default=as_openpi_packs))
            replies.append(msgpack.unpackb(socket.recv(), object_hook=as_openpi_unpacks))

    assert metadata['statistics'] == 'magma_nano_sim'
    direct = ScriptedModel(ACTIONS)
    for reply in replies:
        answer = direct.generate_action(picture(), 'x', None)
        expected = unnormalise(answer.normalised, STATISTICS)[None]
        np.testing.assert_array_equal(reply['actions'], expected)
        assert set(reply['server_timing']) == {'queue_ms', 'prepare_ms', 'infer_ms'}
        assert all(ms >= 0.0 for ms in reply['server_timing'].values())


def as_json_numpy(array: np.ndarray) -> dict:
    data = base64.b64encode(array.tobytes()).decode()
    return {'__numpy__': data, 'dtype': array.dtype.str, 'shape': array.shape}


@pytest.mark.parametrize('double', [False, True])
def test_openvlas_own_client_code_is_served(double, scripted) -> None:
    """The example of ``deploy.py``: requests.post(..., json=...).json() with json_numpy."""
    question = {'image': as_json_numpy(picture()), 'instruction': SENTENCE, 'unnorm_key': None}
    body = {'encoded': json.dumps(question)} if double else question
    headers = {'Authorization': f'Bearer {TOKEN}'}
    reply = HTTP.post(http(scripted), json=body, headers=headers)

    action = json.loads(reply.json()) if double else reply.json()
    answer = ScriptedModel(ACTIONS).generate_action(picture(), 'x', None)
    assert action == as_json_numpy(unnormalise(answer.normalised, STATISTICS)) | {'shape': [7]}
    assert reply.headers['content-type'] == 'application/json'
    names = [part.split(';')[0].strip() for part in reply.headers['server-timing'].split(',')]
    assert names == ['queue', 'prepare', 'infer']


def test_health_and_metadata_over_http(nano, nano_server) -> None:
    assert HTTP.get(http(nano_server, '/healthz')).text == 'OK\n'
    metadata = HTTP.get(http(nano_server, '/metadata')).json()
    assert metadata['sha256'] == nano.identity.sha256
    assert metadata['action_space']['names'][0] == 'dx'


def test_an_openpi_server_is_a_baseline_with_its_chunks() -> None:
    seen = []

    def talk(socket) -> None:
        socket.send(pack({}))
        for message in socket:
            seen.append(unpack(message))
            chunk = np.tile(np.array([1.0, 0, 0, 0, 0, 0.2, -1.0], np.float32), (10, 1))
            socket.send(pack({'actions': chunk, 'policy_timing': {'infer_ms': 1.0}}))

    with foreign_websocket(talk) as address:
        model = connect(f'{address}?actions=libero&image=image,wrist&state=observation/state')
        frame = 'wx250s/base_link'
        chunk = predict(PredictMemory(), model, None, observation(), SENTENCE, 'direct', frame)
        model.close()

    assert (len(chunk.deltas), chunk.step_s, chunk.reference) == (10, 0.05, 'measured')
    assert chunk.deltas[0].translation_m == pytest.approx([0.05, 0, 0])
    assert chunk.deltas[9].gripper_opening == 1.0
    assert set(seen[0]) == {'image', 'wrist', 'observation/state', 'prompt'}
    np.testing.assert_array_equal(seen[0]['wrist'], picture())
    assert seen[0]['observation/state'][[0, 7]] == pytest.approx([0.3, 0.7])
    assert model.identity.name == f'openpi (remote, {address})'


def test_an_openvla_server_is_a_baseline() -> None:
    seen = []

    def answer(handler, body) -> None:
        seen.append(json.loads(body))
        action = np.array([0.01, 0, 0, 0, 0, 0.1, 0.996])
        send_body(handler, json.dumps(as_json_numpy(action)).encode())

    with foreign_http(answer) as address:
        model = connect(f'{address}?unnorm_key=bridge_orig')
        action = model.generate_action(picture(), SENTENCE, arm_state())
        model.close()

    (delta,) = action.deltas
    assert (action.reference, delta.gripper_opening) == ('commanded', 0.996)
    assert delta.translation_m == pytest.approx([0.01, 0, 0])
    assert set(seen[0]) == {'image', 'instruction', 'unnorm_key'}
    assert seen[0]['image'] == as_json_numpy(picture()) | {'shape': [48, 64, 3]}
    assert model.identity == replace(
        model.identity, name=f'openvla (remote, {address})', sha256=''
    )
