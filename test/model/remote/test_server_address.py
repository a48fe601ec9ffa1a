from __future__ import annotations

from pathlib import Path

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.model.remote.access_token import VARIABLE, read_token
from magma_ros.model.remote.action_space import ACTION_SPACES
from magma_ros.model.remote.server_address import RemoteServer, is_address, parse_address

TOKEN = 'long-enough-0123456789'


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / 'token'
    path.write_text(TOKEN + '\n')
    path.chmod(0o600)
    return path


def test_addresses_and_folders_are_told_apart() -> None:
    assert all(
        map(
            is_address,
            ['ws://gpu:1', 'wss://gpu', 'http://gpu/act', 'openai+https://[::1]:8000/m'],
        )
    )
    assert not any(map(is_address, ['', 'scripted', 'runs/nano', '/opt/ws:', 'C://x', 'ws:/gpu']))


def test_plain_addresses() -> None:
    assert parse_address('ws://gpu:8000', {}) == RemoteServer('ws://gpu:8000')
    assert parse_address('http://gpu:8000', {}).url == 'http://gpu:8000/act'
    assert parse_address('http://gpu:8000/v1/act', {}).url == 'http://gpu:8000/v1/act'


def test_every_option(token_file: Path) -> None:
    server = parse_address(
        'ws://gpu:8000?actions=libero&image=a/b,c&state=observation/state&timeout_s=0.5'
        f'&unnorm_key=bridge_orig&token_file={token_file}',
        {},
    )

    assert server == RemoteServer(
        'ws://gpu:8000',
        TOKEN,
        reply_timeout_s=0.5,
        action_space=ACTION_SPACES['libero'],
        statistics='bridge_orig',
        image_keys=('a/b', 'c'),
        state_key='observation/state',
    )
    assert server.headers == {'Authorization': f'Bearer {TOKEN}'}


@pytest.mark.parametrize(
    ('address', 'reason'),
    [
        ('ws://', 'no address'),
        ('ftp://gpu', 'no address'),
        ('ws://gpu:port', 'no address'),
        ('ws://gpu:99999', 'no address'),
        ('ws://me:secret@gpu', 'no secrets'),
        ('ws://gpu?action=libero', 'options are actions, image'),
        ('ws://gpu?actions=joints', r"choose one of \['bridge', 'libero'\]"),
        ('ws://gpu?timeout_s=nan', 'give seconds'),
        ('ws://gpu?timeout_s=soon', 'give seconds'),
        ('ws://gpu?timeout_s', 'no address'),
    ],
)
def test_wrong_addresses_are_named(address, reason) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        parse_address(address, {})


def test_the_token_is_never_printed() -> None:
    assert TOKEN not in repr(RemoteServer('ws://gpu', TOKEN))


def test_the_token_comes_from_file_or_environment(token_file: Path) -> None:
    assert read_token(token_file, {VARIABLE: 'another-token-456'}) == TOKEN
    assert read_token(None, {VARIABLE: TOKEN}) == TOKEN
    assert read_token(None, {}) is None


def test_a_token_that_others_can_read_is_refused(token_file: Path) -> None:
    token_file.chmod(0o640)
    with pytest.raises(ConfigurationError, match='chmod 600'):
        read_token(token_file, {})


@pytest.mark.parametrize('text', ['', 'short', 'with blanks between words', 'ä' * 30, '\0' * 30])
def test_unusable_tokens_are_refused(token_file: Path, text: str) -> None:
    token_file.write_text(text)
    with pytest.raises(ConfigurationError, match='make one'):
        read_token(token_file, {})


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='nowhere'):
        read_token(tmp_path / 'nowhere', {})
