"""Arrays in messages: openpi's msgpack maps and OpenVLA's json_numpy objects, without pickle.

Sources: openpi ``openpi_client/msgpack_numpy.py`` and json_numpy 2.1, byte for byte compatible for
numbers. Whatever arrives is hostile until it has passed: sizes are compared before anything of
that size is made, and types are looked up by name in a short list, so that no type is ever built
from a peer's text.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

NUMBERS = ('bool', 'u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8', 'f2', 'f4', 'f8')
UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)  # what readers raise
DTYPES = {dtype.str: dtype for dtype in map(np.dtype, NUMBERS)}


class MalformedMessage(ValueError):  # noqa: N818 (it names what is wrong, as a whole)
    """The bytes are not a message, or one beyond the limits."""


@dataclass(frozen=True)
class MessageLimits:
    """What one message may hold."""

    message_bytes: int = 8 * 2**20  # a full HD picture, also in base64
    dimensions: int = 4
    items: int = 256  # of one map or list
    containers: int = 1024  # maps and lists together
    depth: int = 16  # of their nesting
    commas: int = 8192  # of JSON, in texts too: each may be an item


LIMITS = MessageLimits()
REPLY_LIMITS = MessageLimits(message_bytes=2**20)  # of an answer: numbers or a text


def pack(message: Any) -> bytes:
    """Message with arrays -> msgpack as openpi writes it; ValueError for arrays of objects."""
    return msgpack.packb(message, default=_msgpack_fields)


def unpack(data: bytes, limits: MessageLimits = LIMITS) -> Any:
    """Msgpack -> message; arrays are read-only. Raises MalformedMessage."""
    _check_length(data, limits)
    count = _Counter(limits.containers)
    try:
        message = msgpack.unpackb(
            data,
            object_hook=lambda fields: count(_revive_msgpack(fields, limits)),
            list_hook=count,
            max_map_len=limits.items,
            max_array_len=limits.items,
            max_ext_len=0,
        )
    except (*UNREADABLE, msgpack.UnpackException) as error:
        raise MalformedMessage(f'no usable msgpack: {error or type(error).__name__}') from error
    return _check_extent(message, limits)


def dump_json(message: Any) -> str:
    """Message with arrays -> JSON as json_numpy writes it."""
    return json.dumps(message, default=_json_fields, allow_nan=False)


def load_json(data: bytes | str, limits: MessageLimits = LIMITS) -> Any:
    """JSON -> message; arrays are read-only. Raises MalformedMessage."""
    text = data.encode('utf-8', 'replace') if isinstance(data, str) else data
    _check_length(text, limits)
    # Counted before parsing, since each costs the sender one byte and us sixty.
    if text.count(b'[') + text.count(b'{') > limits.containers:
        raise MalformedMessage(f'more than {limits.containers} lists and objects')
    if text.count(b',') > limits.commas:
        raise MalformedMessage(f'more than {limits.commas} commas')
    try:
        message = json.loads(
            text,
            object_hook=lambda fields: _revive_json(fields, limits),
            parse_constant=_refuse_constant,
        )
    except UNREADABLE as error:
        raise MalformedMessage(f'no usable JSON: {error or type(error).__name__}') from error
    return _check_extent(message, limits)


def _check_length(data: bytes, limits: MessageLimits) -> None:
    if len(data) > limits.message_bytes:
        raise MalformedMessage(f'{len(data)} bytes are more than {limits.message_bytes}')


def _check_extent(message: Any, limits: MessageLimits) -> Any:
    """The message, if no map or list in it is too long or too deep."""
    level = [message]
    for _ in range(limits.depth + 1):
        containers = [value for value in level if isinstance(value, (dict, list))]
        if not containers:
            return message
        if any(len(container) > limits.items for container in containers):
            raise MalformedMessage(f'a map or list of more than {limits.items} items')
        level = [
            value
            for container in containers
            for value in (container.values() if isinstance(container, dict) else container)
        ]
    raise MalformedMessage(f'more than {limits.depth} maps and lists within each other')


def _refuse_constant(name: str) -> float:
    raise MalformedMessage(f'{name} is not a number')


class _Counter:
    """Passes values on until there were too many."""

    def __init__(self, most: int) -> None:
        self._left = most

    def __call__(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise MalformedMessage('too many maps and lists')
        return value


def _revive_msgpack(fields: dict[Any, Any], limits: MessageLimits) -> Any:
    if b'__ndarray__' in fields:
        return _array(fields.get(b'data'), fields.get(b'dtype'), fields.get(b'shape'), limits)
    if b'__npgeneric__' in fields:
        value = fields.get(b'data')
        if not isinstance(value, (bool, int, float)):
            raise MalformedMessage('a scalar that is no number')
        return _dtype(fields.get(b'dtype')).type(value)
    return fields


def _revive_json(fields: dict[str, Any], limits: MessageLimits) -> Any:
    if '__numpy__' not in fields:
        return fields
    text = fields['__numpy__']
    if not isinstance(text, str):
        raise MalformedMessage('array data is not base64 text')
    data = base64.b64decode(text, validate=True)
    array = _array(data, fields.get('dtype'), fields.get('shape'), limits)
    return array if array.ndim else array[()]


def _array(data: Any, dtype_text: Any, shape: Any, limits: MessageLimits) -> NDArray[Any]:
    dtype = _dtype(dtype_text)
    if not isinstance(data, bytes) or not isinstance(shape, (list, tuple)):
        raise MalformedMessage('an array needs data and a shape')
    if len(shape) > limits.dimensions or not all(type(n) is int and n >= 0 for n in shape):
        raise MalformedMessage(f'an array has the impossible shape {str(shape)[:80]}')
    if math.prod(shape) * dtype.itemsize != len(data):
        raise MalformedMessage(f'{len(data)} bytes do not fill {dtype} of shape {shape}')
    return np.frombuffer(data, dtype).reshape(shape)


def _dtype(text: Any) -> np.dtype[Any]:
    dtype = DTYPES.get(text) if isinstance(text, str) else None
    if dtype is None:
        raise MalformedMessage(f'arrays of type {str(text)[:40]!r}: send one of {list(DTYPES)}')
    return dtype


def _msgpack_fields(value: Any) -> dict[bytes, Any]:
    _check_sendable(value)
    if isinstance(value, np.generic):
        return {b'__npgeneric__': True, b'data': value.item(), b'dtype': value.dtype.str}
    return {
        b'__ndarray__': True,
        b'data': value.tobytes(),
        b'dtype': value.dtype.str,
        b'shape': value.shape,
    }


def _json_fields(value: Any) -> dict[str, Any]:
    _check_sendable(value)
    data = base64.b64encode(value.tobytes()).decode()
    return {'__numpy__': data, 'dtype': value.dtype.str, 'shape': value.shape}


def _check_sendable(value: Any) -> None:
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.str not in DTYPES:
        raise ValueError(f'{type(value).__name__} cannot be sent: only arrays of numbers can')
