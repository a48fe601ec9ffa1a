"""Which code stands for which condition: drawn once, kept in a file nobody needs to open.

The draw is the system's own randomness and not the session's seed: with the seed, everybody who
has the session file could work it out. The order is public, what the codes mean is not. A salt
keeps the published checksum of the key from being matched against all possible keys.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from magma_ros.errors import ConfigurationError

SALT_BYTES = 16


@dataclass(frozen=True)
class SealedCondition:
    """What a code stands for."""

    name: str  # in the session file
    table: dict[str, Any]  # every parameter, defaults written out
    model_name: str  # '' for people
    model_sha256: str  # '' for people, and for servers that were not asked


@dataclass(frozen=True)
class Key:
    """What all codes stand for."""

    conditions: Mapping[str, SealedCondition]  # by code
    salt: str

    def code_of(self, name: str) -> str:
        """The code of a condition of the session file."""
        return next(code for code, one in self.conditions.items() if one.name == name)


def make_codes(count: int) -> tuple[str, ...]:
    """A, B, C, ..."""
    return tuple(string.ascii_uppercase[:count])


def draw_key(conditions: Sequence[SealedCondition], is_blinded: bool) -> Key:
    """Codes for conditions, at random; in the order given where nothing is to be hidden."""
    drawn = list(conditions)
    if is_blinded:
        secrets.SystemRandom().shuffle(drawn)
    codes = make_codes(len(drawn))
    return Key(dict(zip(codes, drawn, strict=True)), secrets.token_hex(SALT_BYTES))


def key_as_json(key: Key) -> str:
    """As it is stored."""
    conditions = {code: asdict(one) for code, one in key.conditions.items()}
    return json.dumps({'salt': key.salt, 'conditions': conditions}, indent=1) + '\n'


def read_key(path: Path, sha256: str) -> Key:
    """The key of a session.

    Raises:
        ConfigurationError: it is gone, or not the one that was drawn.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f'the key {path} cannot be read: {error.strerror}') from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ConfigurationError(
            f'{path} is not the key that was drawn for this session: restore it from a copy; '
            'without it nobody knows what the codes mean'
        )
    values = json.loads(content)
    conditions = {code: SealedCondition(**one) for code, one in values['conditions'].items()}
    return Key(conditions, values['salt'])
