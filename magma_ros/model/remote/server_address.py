"""How to reach a server of a model, written as one address that fits where a folder would stand.

* ``ws://gpu:8000``: openpi's protocol, our server or openpi's
* ``ws://gpu:8000?actions=libero&timeout_s=1``: openpi's own server does not say what it means
* ``http://gpu:8000/act?unnorm_key=bridge_orig``: OpenVLA's protocol, our server or OpenVLA's
* ``openai+http://gpu:8000/Hamster_dev``: a model that chats, by name; it draws paths
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from magma_ros.errors import ConfigurationError
from magma_ros.model.remote.access_token import read_token
from magma_ros.model.remote.action_space import ACTION_SPACES, ActionSpace

SCHEMES = ('ws', 'wss', 'http', 'https')
CHAT_SCHEMES = ('openai+http', 'openai+https')
OPTIONS = ('actions', 'image', 'state', 'timeout_s', 'token_file', 'unnorm_key')
CHAT_OPTIONS = ('endpoint', 'timeout_s', 'token_file')
CHAT_ENDPOINT = '/v1/chat/completions'  # HAMSTER's own server: endpoint=/chat/completions


@dataclass(frozen=True)
class RemoteServer:
    """Where a server is, and how to ask it."""

    url: str
    token: str | None = field(default=None, repr=False)
    connect_timeout_s: float = 5.0
    reply_timeout_s: float = 2.0  # from the question to the last byte of the answer
    retries: int = 1  # on a fresh connection when one was closed; never after a late answer
    action_space: ActionSpace | None = None  # of a server that does not say
    statistics: str | None = None  # key of the action statistics, sent as unnorm_key
    # Names a foreign openpi policy has for the picture (each gets it), and for the state: eight
    # numbers, x y z in m, quaternion x y z w, gripper opening. None: no state is sent.
    image_keys: tuple[str, ...] = ('observation/image',)
    state_key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a question."""
        return {} if self.token is None else {'Authorization': f'Bearer {self.token}'}


def is_address(model: str) -> bool:
    """Whether this names a server and not a folder."""
    return model.split('://')[0] in (*SCHEMES, *CHAT_SCHEMES) and '://' in model


def is_chat_address(model: str) -> bool:
    """Whether this names a model that chats, which draws paths and gives no actions."""
    return model.split('://')[0] in CHAT_SCHEMES and '://' in model


def parse_address(address: str, environ: Mapping[str, str] = os.environ) -> RemoteServer:
    """Address -> server; the token is in ``token_file`` or ``MAGMA_SERVER_TOKEN``.

    Raises:
        ConfigurationError: the address is none, or an option has no such name or value.
    """
    parts, options = _split(address, SCHEMES, OPTIONS)
    actions = options.get('actions')
    if actions is not None and actions not in ACTION_SPACES:
        raise ConfigurationError(f'actions={actions}: choose one of {sorted(ACTION_SPACES)}')
    path = parts.path or ('/act' if parts.scheme.startswith('http') else '')
    return RemoteServer(
        urlunsplit((parts.scheme, parts.netloc, path, '', '')),
        _token(options, environ),
        reply_timeout_s=_seconds(options.get('timeout_s', '2.0')),
        action_space=ACTION_SPACES[actions] if actions else None,
        statistics=options.get('unnorm_key'),
        image_keys=tuple(options.get('image', 'observation/image').split(',')),
        state_key=options.get('state'),
    )


def parse_chat_address(
    address: str, environ: Mapping[str, str] = os.environ
) -> tuple[RemoteServer, str]:
    """Address of a model that chats -> server, and the name of the model there.

    Raises:
        ConfigurationError: as of :func:`parse_address`, or no model is named.
    """
    parts, options = _split(address, CHAT_SCHEMES, CHAT_OPTIONS)
    name = parts.path.strip('/')
    if not name:
        raise ConfigurationError(f'{address!r} names no model: {_EXAMPLES}')
    endpoint = '/' + options.get('endpoint', CHAT_ENDPOINT).lstrip('/')
    url = urlunsplit((parts.scheme.removeprefix('openai+'), parts.netloc, endpoint, '', ''))
    seconds = _seconds(options.get('timeout_s', '30.0'))
    return RemoteServer(url, _token(options, environ), reply_timeout_s=seconds), name


def _split(
    address: str, schemes: tuple[str, ...], names: tuple[str, ...]
) -> tuple[SplitResult, dict[str, str]]:
    """The parts of an address and its options, if all of them are known."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise ConfigurationError(f'{address!r} is no address ({error}): {_EXAMPLES}') from error
    if parts.scheme not in schemes or not host:
        raise ConfigurationError(f'{address!r} is no address of a server: {_EXAMPLES}')
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError('no secrets in an address: put the token into token_file')
    unknown = sorted(set(options) - set(names))
    if unknown:
        raise ConfigurationError(f'{unknown} in the address: options are {", ".join(names)}')
    return parts, options


def _token(options: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    file = options.get('token_file')
    return read_token(Path(file) if file else None, environ)


_EXAMPLES = 'write ws://host:port, http://host:port/act or openai+http://host:port/model'


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= 600.0:
        raise ConfigurationError(f'timeout_s={text}: give seconds, at most 600')
    return seconds
