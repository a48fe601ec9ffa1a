"""Refusals: every failure of a server has a code, a reason, an HTTP status, and an error here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from magma_ros.errors import (
    CameraError,
    ConfigurationError,
    InstructionError,
    MagmaError,
    ModelError,
)


class Kind(NamedTuple):
    """How a refusal travels, and what it becomes on the other side."""

    status: int
    error: type[MagmaError]


KINDS = {
    'malformed': Kind(400, ModelError),
    'protocol': Kind(400, ModelError),
    'unsupported': Kind(400, ModelError),
    'statistics': Kind(400, ConfigurationError),
    'unauthorised': Kind(401, ConfigurationError),
    'origin': Kind(403, ModelError),
    'too_large': Kind(413, ModelError),
    'image': Kind(422, CameraError),
    'instruction': Kind(422, InstructionError),
    'state': Kind(422, ModelError),
    'model': Kind(500, ModelError),
    'internal': Kind(500, ModelError),
    'busy': Kind(503, ModelError),
    'timeout': Kind(504, ModelError),
}
CODES = {InstructionError: 'instruction', CameraError: 'image', ConfigurationError: 'unsupported'}


class Refusal(Exception):  # noqa: N818 (an answer, not a bug)
    """Why there is no action; ``code`` is a key of ``KINDS``."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason

    @property
    def status(self) -> int:
        """For HTTP."""
        return KINDS[self.code].status

    def as_message(self) -> dict[str, str]:
        """For the wire: no array, no number, nothing that could be taken for an action."""
        return {'error': self.code, 'reason': self.reason}


def refusal_of(error: MagmaError) -> Refusal:
    """The refusal that tells a peer about an error that names a next step."""
    return Refusal(CODES.get(type(error), 'model'), str(error))


def error_of(message: Any, server: str) -> MagmaError | None:
    """The error a refusal of one of our servers stands for; None when it is no refusal."""
    code = message.get('error') if isinstance(message, Mapping) else None
    if not isinstance(code, str) or code not in KINDS:
        return None
    reason = ' '.join(str(message.get('reason', ''))[:500].split())
    return KINDS[code].error(f'{server} refuses ({code}): {reason}')
