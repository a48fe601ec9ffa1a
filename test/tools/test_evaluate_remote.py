"""``magma evaluate --model ADDRESS`` against a real ``magma serve`` process on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip('uvicorn', reason='needs the serve extra')
pytest.importorskip('mujoco', reason='needs the sim extra')

from magma_ros.model.remote.access_token import VARIABLE
from magma_ros.sim import rollout
from magma_ros.tools.magma import main


@pytest.fixture(scope='module')
def addresses() -> Iterator[list[str]]:
    """Of a server of magma-nano: the websocket's, and that of /act."""
    command = [sys.executable, '-m', 'magma_ros.tools.magma', 'serve', '--port', '0']
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.stdout.readline().split()[:2]
        finally:
            process.kill()


def evaluate(capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    words = ['--task', 'reach', '--episodes', '1', '--json', *options]
    assert main(['evaluate', *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_servers_act_as_the_local_model_does(
    addresses: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rollout.TIME_LIMIT_S, 'reach', 2.0)
    local = evaluate(capsys, '--mode', 'direct')
    for address in addresses:
        found = evaluate(capsys, '--model', f'{address}?timeout_s=60')
        assert found['mode'] == 'direct'
        assert found['model']['sha256'] == local['model']['sha256']
        assert found['model']['name'] == f'magma-nano (remote, {address})'
        assert (found['success'], found['refusals']) == (local['success'], {})


def test_a_server_keeps_its_own_settings(capsys: pytest.CaptureFixture[str]) -> None:
    words = ['--task', 'reach', '--model', 'ws://nowhere:1', '--precision', 'bf16']
    assert main(['evaluate', *words]) == 2
    assert 'is a server, which has its own precision' in capsys.readouterr().err
