"""The secret that server and client share: from a file or the environment, never an argument."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from magma_ros.errors import ConfigurationError

VARIABLE = 'MAGMA_SERVER_TOKEN'
FEWEST_CHARACTERS = 16
NEW_TOKEN = '(umask 077; python3 -c "import secrets; print(secrets.token_urlsafe())" > FILE)'


def read_token(path: Path | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The token of a file, else of ``MAGMA_SERVER_TOKEN``; None when neither is given.

    Raises:
        ConfigurationError: the file cannot be read, others may read it, or the token is short or
            holds blanks.
    """
    if path is None:
        token, source = environ.get(VARIABLE), VARIABLE
        if token is None:
            return None
    else:
        try:
            mode, token, source = path.stat().st_mode, path.read_text('ascii'), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f'no token in {path} ({error}); make one: {NEW_TOKEN}'
            ) from error
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigurationError(f'others can read the token: chmod 600 {path}')
    token = token.strip()
    if len(token) < FEWEST_CHARACTERS or not (token.isascii() and token.isprintable()):
        raise ConfigurationError(
            f'the token in {source} needs at least {FEWEST_CHARACTERS} letters and digits; '
            f'make one: {NEW_TOKEN}'
        )
    if ' ' in token:
        raise ConfigurationError(f'the token in {source} holds blanks; make one: {NEW_TOKEN}')
    return token
