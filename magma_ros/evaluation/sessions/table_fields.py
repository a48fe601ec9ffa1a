"""Dataclasses from YAML tables: known keys, types, ranges and choices; anything else is named."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import MISSING, field, fields
from typing import Any, TypeVar, get_type_hints

from magma_ros.errors import ConfigurationError
from magma_ros.yaml_tables import check_keys

Table = TypeVar('Table')
# Names become parts of file names and of lines on the screen.
NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,39}')
LONGEST_TEXT = 200


def number(low: float, high: float, default: Any = MISSING) -> Any:
    """A field that is a number from ``low`` to ``high``."""
    return field(default=default, metadata={'range': (low, high)})


def one_of(choices: Collection[str], default: Any = MISSING) -> Any:
    """A field that is one of these words."""
    return field(default=default, metadata={'choices': tuple(choices)})


def read_table(kind: type[Table], values: Any, where: str) -> Table:
    """The dataclass ``kind``, whose fields are str, bool, int or float.

    Raises:
        ConfigurationError: keys that are unknown or missing, or values of another type or range;
            names the place, what was expected, and what there is to choose from.
    """
    about = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    required = [name for name, one in about.items() if one.default is MISSING]
    check_keys(values, about, where, required)
    hints = get_type_hints(kind)
    for name, value in values.items():
        _check_value(value, hints[name], about[name].metadata, f'{where}: {name}')
    return kind(**{n: float(v) if hints[n] is float else v for n, v in values.items()})


def check_name(name: Any, where: str) -> str:
    """A name that is nothing but a name.

    Raises:
        ConfigurationError: it could mean another folder, or would not fit on a line.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigurationError(
            f'{where}: {str(name)[:60]!r} is no name; use up to 40 letters, digits, _ and -, '
            'beginning with a letter or digit (a number needs quotes)'
        )
    return name


def _check_value(value: Any, kind: Any, about: Any, where: str) -> None:
    if 'range' in about:
        low, high = about['range']
        numbers = int if kind is int else (int, float)
        fits = isinstance(value, numbers) and not isinstance(value, bool)
        if not (fits and math.isfinite(value) and low <= value <= high):
            whole = 'whole number' if kind is int else 'number'
            raise ConfigurationError(
                f'{where} is {value!r}; it must be a {whole} from {low:g} to {high:g}'
            )
    elif 'choices' in about:
        if value not in about['choices']:
            raise ConfigurationError(
                f'{where} is {value!r}; choose one of {", ".join(about["choices"])}'
            )
    elif kind is bool:
        if not isinstance(value, bool):
            raise ConfigurationError(f'{where} is {value!r}; it must be true or false')
    elif not (isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable()):
        raise ConfigurationError(
            f'{where} is {str(value)[:60]!r}; it must be one line of text of up to '
            f'{LONGEST_TEXT} characters'
        )
