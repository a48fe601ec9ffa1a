"""A disk that fills up while a model is written: a named error, and nothing left behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from small_model import SMALL

from magma_ros.errors import ConfigurationError
from magma_ros.model.weights.output_folder import filling

FULL = OSError(errno.ENOSPC, 'No space left on device')


def fill_and_fail(folder: Path, error: BaseException) -> None:
    with filling(folder, 1):
        (folder / 'half').write_bytes(b'x')
        (folder / 'below').mkdir()
        raise error


@pytest.mark.parametrize('exists', [False, True])
def test_what_was_written_is_removed(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / 'model'
    if exists:
        folder.mkdir()
    with pytest.raises(ConfigurationError, match='No space left.*removed. Free the disk'):
        fill_and_fail(folder, FULL)
    assert list(tmp_path.rglob('*')) == ([folder] if exists else [])


def test_other_errors_pass_and_leave_nothing_either(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(tmp_path / 'model', KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / 'mine').write_bytes(b'x')
    with pytest.raises(ConfigurationError, match='is not empty'), filling(tmp_path, 1):
        raise AssertionError('must not begin')
    assert (tmp_path / 'mine').read_bytes() == b'x'


@pytest.mark.torch
@pytest.mark.parametrize('what', ['weights', 'export'])
def test_commands_that_write_models_use_it(
    what: str, small_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise FULL

    folder = tmp_path / 'model'
    if what == 'weights':
        from magma_ros.model.weights import random_checkpoint

        monkeypatch.setattr(random_checkpoint, '_write_shard', fail)
        with pytest.raises(ConfigurationError, match='No space left'):
            random_checkpoint.write_random_checkpoint(SMALL, folder)
    else:
        export_onnx = pytest.importorskip('magma_ros.model.weights.export_onnx')
        monkeypatch.setattr(export_onnx, 'export_onnx', fail)
        with pytest.raises(ConfigurationError, match='No space left'):
            export_onnx.export_checkpoint(small_checkpoint, folder)
    assert not folder.exists()
