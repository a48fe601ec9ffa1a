"""YAML tables whose keys are all known: an unknown one is an error that lists them."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from magma_ros.errors import ConfigurationError


def load_yaml(path: Path) -> Any:
    """What a YAML file says; no tags, no code.

    Raises:
        ConfigurationError: it is not YAML.
    """
    try:
        return YAML(typ='safe').load(path.read_text(encoding='utf-8'))
    except YAMLError as error:
        raise ConfigurationError(f'{path} is not YAML: {error}') from error


def check_keys(
    values: Any, known: Collection[str], where: str, required: Collection[str] = ()
) -> None:
    """Pass a table that has known keys only, and all of the ``required`` ones.

    Raises:
        ConfigurationError: it is no table, or its keys are others; the message lists the known.
    """
    if not isinstance(values, dict):
        raise ConfigurationError(f'{where} must be a table with the keys {sorted(known)}')
    unknown = sorted(map(str, set(values) - set(known)))
    wrong = sorted({*unknown, *map(str, set(required) - set(values))})
    if wrong:
        meant = [near for key in unknown for near in difflib.get_close_matches(key, known, 1)]
        hint = f'Did you mean {", ".join(meant)} (units are in the names)? ' if meant else ''
        raise ConfigurationError(
            f'{where}: unknown or missing keys {wrong}. {hint}The keys are {sorted(known)}'
        )
