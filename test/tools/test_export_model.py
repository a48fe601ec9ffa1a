from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from magma_ros.resources import asset_path
from magma_ros.tools.magma import main


def test_options_reach_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export_onnx = pytest.importorskip('magma_ros.model.weights.export_onnx')
    asked: list[Any] = []
    monkeypatch.setattr(
        export_onnx, 'export_checkpoint', lambda *given, report: asked.extend(given)
    )
    options = ['--precision', 'int8-blocks', '--logits', 'action']
    assert main(['export', 'from', str(tmp_path), *options]) == 0
    assert asked == [Path('from'), tmp_path, export_onnx.ExportSettings('int8-blocks', 'action')]
    assert str(tmp_path) in capsys.readouterr().out


def test_a_folder_with_files_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('magma_ros.model.weights.export_onnx')
    (tmp_path / 'mine.txt').write_text('mine')
    assert main(['export', str(asset_path('nano')), str(tmp_path)]) == 2
    assert 'is not empty' in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


def test_without_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, 'magma_ros.model.weights.export_onnx', raising=False)
    monkeypatch.setitem(sys.modules, 'onnx_ir', None)
    assert main(['export', 'from', str(tmp_path)]) == 2
    assert 'onnx_ir' in capsys.readouterr().err
