"""``magma finetune`` says what it will take before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from magma_ros.resources import config_path
from magma_ros.tools.magma import main

pytest.importorskip('accelerate')

CONFIG = str(config_path('finetune/nano_traces.yaml'))


def test_the_estimate_needs_no_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(['finetune', CONFIG, '--data', str(tmp_path / 'none'), '--estimate']) == 0

    assert 'magma-nano, full: 1,2' in capsys.readouterr().out  # million parameters learn


def test_missing_data_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(['finetune', CONFIG, '--data', str(tmp_path / 'none')]) == 2

    assert 'magma data convert' in capsys.readouterr().err
