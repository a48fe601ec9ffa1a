"""Bytes of openpi's and json_numpy's own code, and what hostile peers may send instead."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from magma_ros.model.remote.arrays import (
    DTYPES,
    LIMITS,
    MalformedMessage,
    MessageLimits,
    dump_json,
    load_json,
    pack,
    unpack,
)

MESSAGE = {'a': np.array([[1.5, -2.0]], np.float32), 'b': np.float32(0.25), 't': 'x', 'n': [1]}
# Written by openpi_client.msgpack_numpy (commit 15a9616) and json_numpy 2.1.1.
OPENPI_BYTES = bytes.fromhex(
    '84a16184c40b5f5f6e6461727261795f5fc3c40464617461c4080000c03f000000c0c4056474797065a33c6634c4'
    '057368617065920102a16283c40d5f5f6e7067656e657269635f5fc3c40464617461cb3fd0000000000000c40564'
    '74797065a33c6634a174a178a16e9101'
)
JSON_NUMPY = (
    '{"a": {"__numpy__": "AADAPwAAAMA=", "dtype": "<f4", "shape": [1, 2]}, '
    '"b": {"__numpy__": "AACAPg==", "dtype": "<f4", "shape": []}, "t": "x", "n": [1]}'
)
NUMBERS = arrays_of.arrays(
    st.sampled_from(list(DTYPES.values())),
    arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


def array_fields(**changes) -> dict:
    fields = {b'__ndarray__': True, b'data': b'\0' * 8, b'dtype': '<f8', b'shape': [1]}
    return fields | {name.encode(): value for name, value in changes.items()}


def json_array(**changes) -> str:
    return json.dumps({'__numpy__': 'AAAAAAAAAAA=', 'dtype': '<f8', 'shape': [1]} | changes)


@pytest.mark.parametrize(
    ('write', 'read', 'golden'),
    [(pack, unpack, OPENPI_BYTES), (dump_json, load_json, JSON_NUMPY)],
    ids=['openpi', 'json_numpy'],
)
def test_written_and_read_as_the_originals_do(write, read, golden) -> None:
    assert write(MESSAGE) == golden
    message = read(golden)
    assert message['a'].dtype == np.float32
    np.testing.assert_array_equal(message['a'], MESSAGE['a'])
    assert (message['b'], type(message['b'])) == (0.25, np.float32)
    assert (message['t'], message['n']) == ('x', [1])


@settings(max_examples=40, deadline=None)
@given(NUMBERS)
def test_arrays_survive_both_ways(array) -> None:
    for back in (unpack(pack({'x': array}))['x'], load_json(dump_json({'x': array}))['x']):
        assert (np.shape(back), back.dtype) == (array.shape, array.dtype)
        assert np.asarray(back).tobytes() == array.tobytes()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(data) -> None:
    for read in (unpack, load_json):
        with contextlib.suppress(MalformedMessage):  # nothing else may come out
            read(data)


@pytest.mark.parametrize('kind', ['O', 'V8', 'c16', 'U3', 'M8[s]'])
def test_only_numbers_are_sent(kind) -> None:
    with pytest.raises(ValueError, match='only arrays of numbers'):
        pack({'x': np.zeros(2, kind)})
    with pytest.raises(ValueError, match='only arrays of numbers'):
        dump_json({'x': np.zeros(2, kind)})


@pytest.mark.parametrize(
    'changes',
    [
        {'dtype': '|O'},
        {'dtype': 'O'},
        {'dtype': '<U3'},
        {'dtype': '(1000000000,)f8'},
        {'dtype': 'f8,f8'},
        {'dtype': [['x', '<f8']]},
        {'dtype': None},
        {'shape': [-1]},
        {'shape': [2]},
        {'shape': [1, 1, 1, 1, 1]},
        {'shape': [2**62, 2**62]},
        {'shape': [True]},
        {'shape': [1.0]},
        {'shape': 1},
        {'shape': None},
    ],
    ids=str,
)
def test_impossible_arrays_are_malformed(changes) -> None:
    with pytest.raises(MalformedMessage):
        unpack(msgpack.packb(array_fields(**changes)))
    with pytest.raises(MalformedMessage):
        load_json(json_array(**changes))


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'\xc1',
        OPENPI_BYTES[:-3],
        OPENPI_BYTES + b'\0',
        b'\x91' * 5000,
        b'\xdd\xff\xff\xff\xff',
        b'\xdf\xff\xff\xff\xff',
        b'\xc6\xff\xff\xff\xff',
        msgpack.packb([[0] * 10 for _ in range(LIMITS.items + 1)]),
        msgpack.packb([[[] for _ in range(200)] for _ in range(10)]),
        msgpack.packb({1: 2}),
        msgpack.packb(msgpack.ExtType(5, b'x')),
        msgpack.packb(msgpack.Timestamp(1)),
        msgpack.packb({'x': array_fields(data='text')}),
        msgpack.packb({b'__npgeneric__': True, b'data': [1], b'dtype': '<f8'}),
        msgpack.packb({b'__npgeneric__': True, b'data': 300, b'dtype': '|u1'}),
        b'\x91' * (LIMITS.depth + 1) + b'\x01',
        b'\0' * (LIMITS.message_bytes + 1),
    ],
    ids=range(18),
)
def test_hostile_msgpack_is_malformed(data) -> None:
    with pytest.raises(MalformedMessage):
        unpack(data)


@pytest.mark.parametrize(
    'text',
    [
        '',
        'error',
        '<html></html>',
        '{"a": 1',
        '[' * 1000,
        '[' * 100_000,
        '[' * (LIMITS.depth + 1) + '1' + ']' * (LIMITS.depth + 1),
        json.dumps([0] * (LIMITS.items + 1)),
        json.dumps(dict.fromkeys(range(LIMITS.items + 1), 0)),
        '[' + ',' * 2_000_000 + ']',
        '{"a": NaN}',
        '[Infinity]',
        '9' * 5000,
        json_array(__numpy__='not base64!'),
        json_array(__numpy__=7),
        '\ud800',
        ' ' * (LIMITS.message_bytes + 1),
    ],
    ids=range(17),
)
def test_hostile_json_is_malformed(text) -> None:
    with pytest.raises(MalformedMessage):
        load_json(text)


def test_arrays_are_not_to_be_changed() -> None:
    assert not unpack(pack(np.zeros(3))).flags.writeable


def test_what_is_just_within_the_limits_is_read() -> None:
    deep: Any = 1
    for _ in range(LIMITS.depth):
        deep = [deep]
    for message in (deep, [0] * LIMITS.items):
        assert unpack(pack(message)) == load_json(json.dumps(message)) == message


def test_limits_are_arguments() -> None:
    tiny = MessageLimits(message_bytes=10)
    with pytest.raises(MalformedMessage, match='11 bytes are more than 10'):
        unpack(b'\0' * 11, tiny)
