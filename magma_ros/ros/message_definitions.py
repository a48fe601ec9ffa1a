"""What a bag needs to know about a message type: its name, its definition and its hash."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from magma_ros.errors import EnvironmentMissing

SEPARATOR = '=' * 80


def type_name(kind: type) -> str:
    """Such as ``sensor_msgs/msg/Image``."""
    return f'{_package(kind)}/msg/{kind.__name__}'


def definition_of(kind: type) -> str:
    """The ``.msg`` text of a message class followed by those it contains, as ``ros2msg`` wants it.

    Raises:
        EnvironmentMissing: ROS is installed without the definition.
    """
    parts = [_file_of(kind, '.msg').read_text(encoding='utf-8')]
    parts += [
        f'{SEPARATOR}\nMSG: {_package(part)}/{part.__name__}\n'
        + _file_of(part, '.msg').read_text(encoding='utf-8')
        for part in _contained(kind)
    ]
    return '\n'.join(parts)


def hash_of(kind: type) -> str:
    """The type hash (RIHS01, REP-2016); empty before ROS 2 Iron, which has none."""
    try:
        description = _file_of(kind, '.json')
    except EnvironmentMissing:
        return ''
    hashes = json.loads(description.read_text(encoding='utf-8'))['type_hashes']
    return next(one['hash_string'] for one in hashes if one['type_name'] == type_name(kind))


def _contained(kind: type) -> list[type]:
    """Every message type inside this one, at any depth, each once."""
    found: dict[str, type] = {}
    waiting = [kind]
    while waiting:
        for part in _fields(waiting.pop(0)):
            if type_name(part) not in found:
                found[type_name(part)] = part
                waiting.append(part)
    return list(found.values())


def _fields(kind: type) -> Iterator[type]:
    for field_type in kind.get_fields_and_field_types().values():  # type: ignore[attr-defined]
        # 'sequence<geometry_msgs/Point>', 'geometry_msgs/Point[3]', 'double'
        if match := re.search(r'(\w+)/(\w+)', field_type):
            yield getattr(importlib.import_module(f'{match[1]}.msg'), match[2])


def _package(kind: type) -> str:
    return kind.__module__.split('.')[0]


def _file_of(kind: type, suffix: str) -> Path:
    """``<prefix>/share/<package>/msg/<Type><suffix>``, next to the Python module's prefix."""
    name = Path('share') / _package(kind) / 'msg' / f'{kind.__name__}{suffix}'
    module = Path(sys.modules[kind.__module__].__file__ or '')
    for prefix in module.parents:
        if (prefix / name).is_file():
            return prefix / name
    raise EnvironmentMissing(
        f'{name} is not in the ROS installation of {module}: install {_package(kind)} again'
    )
