"""``magma serve`` as a process, and what it refuses to start with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('uvicorn', reason='needs the serve extra')

from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.action_scaling import choose_statistics
from magma_ros.model.backends.remote_model import connect
from magma_ros.model.remote.access_token import VARIABLE
from magma_ros.resources import asset_path
from magma_ros.tools.magma import main

PATIENCE_S = 120.0


def test_serves_magma_nano_until_it_is_told_to_stop() -> None:
    command = [sys.executable, '-m', 'magma_ros.tools.magma', 'serve', '--port', '0']
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            who, where = process.stdout.readline(), process.stdout.readline()
            model = connect(where.split()[0] + '?timeout_s=60')
            rgb = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
            action = model.generate_action(rgb, 'pick up the red cube', None)
            process.send_signal(signal.SIGTERM)  # with a client connected
            rest = process.stdout.read()
            code = process.wait(PATIENCE_S)
            with pytest.raises(ModelError, match='cannot be reached'):
                model.generate_action(rgb, 'pick up the red cube', None)
            model.close()
        finally:
            process.kill()

    assert who.startswith('magma-nano ')
    assert 'no token is needed' in who
    assert len(action.deltas) == 1
    assert (code, rest) == (0, 'stopped\n')


def test_other_machines_are_not_served_without_a_token(capsys, monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert main(['serve', '--host', '0.0.0.0']) == 2
    assert '--token-file' in capsys.readouterr().err


def test_a_port_that_does_not_exist_is_named(capsys) -> None:
    assert main(['serve', '--port', '99999']) == 2
    assert '--port' in capsys.readouterr().err


def test_statistics_are_the_models_own_or_named() -> None:
    folder = asset_path('nano')

    assert choose_statistics(folder, None, 'magma_nano_sim').key == 'magma_nano_sim'
    assert choose_statistics(folder, 'bridge_orig', None).key == 'bridge_orig'
    with pytest.raises(ConfigurationError, match='leave --statistics out'):
        choose_statistics(folder, 'bridge_orig', 'magma_nano_sim')
    with pytest.raises(ConfigurationError, match='choose one of'):
        choose_statistics(folder, None, None)


def test_statistics_beside_the_model_are_read(tmp_path: Path) -> None:
    action = {'q01': [-1.0] * 7, 'q99': [1.0] * 7}
    datasets = json.dumps({'my_data': {'action': action}})
    (tmp_path / 'dataset_statistics.json').write_text(datasets)

    assert choose_statistics(tmp_path, 'my_data', None).key == 'my_data'
    assert choose_statistics(tmp_path, None, None).key == 'my_data'
