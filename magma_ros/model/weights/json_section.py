"""An object of a JSON file that somebody else wrote, read with messages that say where."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magma_ros.errors import ModelError


@dataclass(frozen=True)
class JsonSection:
    """Entries, and the path to them; every method raises ModelError for what is not as asked."""

    entries: Mapping[str, Any]
    where: str

    def section(self, key: str) -> JsonSection:
        """The object below a key."""
        value = self.entries.get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, 'an object')
        return JsonSection(value, f'{self.where}: {key}')

    def or_else(self, fallback: Mapping[str, Any]) -> JsonSection:
        """The same with entries for what is missing."""
        return JsonSection(ChainMap(dict(self.entries), dict(fallback)), self.where)

    def require(
        self, key: str, allowed: Collection[Any], optional: bool = False, default: Any = None
    ) -> Any:
        """The value, which must be one of those allowed; nothing at all is, too, if optional."""
        value = self.entries.get(key, default)
        if (value is None and optional) or value in list(allowed):
            return value
        raise self._wrong(key, ' or '.join(repr(option) for option in allowed))

    def integer(self, key: str, default: int | None = None) -> int:
        """A positive whole number."""
        value = self.entries.get(key)
        value = default if value is None else value
        if type(value) is not int or value <= 0:
            raise self._wrong(key, 'a positive whole number')
        return value

    def number(self, key: str) -> float:
        """A positive number."""
        value = self.entries.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return float(value)
        raise self._wrong(key, 'a positive number')

    def triple(self, key: str) -> tuple[float, float, float]:
        """Three numbers."""
        value = self.entries.get(key)
        if isinstance(value, list) and [type(v) in (int, float) for v in value] == [True] * 3:
            return float(value[0]), float(value[1]), float(value[2])
        raise self._wrong(key, 'a list of three numbers')

    def _wrong(self, key: str, expected: str) -> ModelError:
        return ModelError(
            f'{self.where}: {key} is {self.entries.get(key)!r}, expected {expected}. Copy the '
            'file again from a Magma checkpoint; other models and settings do not run here'
        )


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ModelError: the file is missing or holds something else.
    """
    if not path.is_file():
        raise ModelError(f'{path} does not exist: give the complete folder of a checkpoint')
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f'{path} is not JSON ({error}): copy it again') from error
    if not isinstance(entries, dict):
        raise ModelError(f'{path} holds no JSON object: copy it again')
    return entries
