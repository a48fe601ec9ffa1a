from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from magma_ros.errors import ModelError
from magma_ros.model.weights.checksum import (
    checksum_files,
    find_damage,
    require_undamaged,
    write_checksums,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'config.json').write_bytes(b'{}')
    (tmp_path / 'decoder.onnx').write_bytes(b'weights')
    write_checksums(tmp_path)
    return tmp_path


def test_the_list_is_what_sha256sum_writes(folder: Path) -> None:
    digest = hashlib.sha256(b'weights').hexdigest()
    lines = (folder / 'SHA256SUMS').read_text().splitlines()
    assert lines[1] == f'{digest}  decoder.onnx'
    assert len(lines) == 2
    write_checksums(folder)  # the list does not list itself
    assert (folder / 'SHA256SUMS').read_text().splitlines() == lines


def test_an_undamaged_folder_passes(folder: Path) -> None:
    assert find_damage(folder) == ()
    require_undamaged(folder)


def test_damaged_and_missing_files_are_named(folder: Path) -> None:
    (folder / 'decoder.onnx').write_bytes(b'weightt')
    (folder / 'config.json').unlink()
    with pytest.raises(ModelError, match=r'config.json, decoder.onnx. Restore it \(git checkout'):
        require_undamaged(folder)


@pytest.mark.parametrize(
    'text', ['', 'not a list\n', f'{"0" * 64}  ../outside\n', f'{"0" * 63}  decoder.onnx\n']
)
def test_a_list_that_proves_nothing_is_damage(folder: Path, text: str) -> None:
    (folder / 'SHA256SUMS').write_text(text)
    assert find_damage(folder) == ('SHA256SUMS',)


def test_a_folder_just_exported_has_no_list(folder: Path) -> None:
    (folder / 'SHA256SUMS').unlink()
    require_undamaged(folder)
    assert find_damage(folder) == ('SHA256SUMS',)


def test_identity_depends_on_names_and_contents(folder: Path) -> None:
    one, other = folder / 'config.json', folder / 'decoder.onnx'
    before = checksum_files([one, other])
    assert checksum_files([other, one]) != before
    one.write_bytes(b'[]')
    assert checksum_files([one, other]) != before
