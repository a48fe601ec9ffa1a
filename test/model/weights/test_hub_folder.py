from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from magma_ros.errors import EnvironmentMissing, ModelError
from magma_ros.model.weights.hub_folder import find_folder

REVISION = '0123456789abcdef' * 2 + '01234567'


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> types.SimpleNamespace:
    """A hub that records what it is asked for, or fails with ``error``."""
    state = types.SimpleNamespace(asked=[], error=None, folder=tmp_path)

    def snapshot_download(repository: str, **options: object) -> str:
        if state.error:
            raise state.error
        state.asked.append((repository, options))
        return str(state.folder)

    module = types.ModuleType('huggingface_hub')
    module.snapshot_download = snapshot_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, 'huggingface_hub', module)
    return state


def test_a_folder_is_taken_as_it_is(hub: types.SimpleNamespace, tmp_path: Path) -> None:
    assert find_folder(tmp_path) == tmp_path
    assert hub.asked == []


def test_a_pinned_revision_is_fetched_without_anything_that_could_run(
    hub: types.SimpleNamespace,
) -> None:
    assert find_folder(f'microsoft/Magma-8B@{REVISION}') == hub.folder
    options = {'revision': REVISION, 'allow_patterns': ['*.safetensors', '*.json']}
    assert hub.asked == [('microsoft/Magma-8B', options)]


@pytest.mark.parametrize('pin', ['', '@main', '@v1.0', f'@{REVISION[:12]}', f'@{REVISION}0'])
def test_a_name_that_can_change_is_refused(hub: types.SimpleNamespace, pin: str) -> None:
    with pytest.raises(ModelError, match='microsoft/Magma-8B@<the 40 hexadecimal digits'):
        find_folder(f'microsoft/Magma-8B{pin}')
    assert hub.asked == []


@pytest.mark.parametrize('model', ['/absent/folder', 'absent', 'a/b/c', ''])
def test_neither_folder_nor_name(hub: types.SimpleNamespace, model: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='not a folder: give the folder'):
        find_folder(model or tmp_path / 'absent')


def test_the_hub_does_not_answer(hub: types.SimpleNamespace) -> None:
    hub.error = ConnectionError('no route')
    with pytest.raises(ModelError, match='no route.*check the name, the revision and the network'):
        find_folder(f'a/b@{REVISION}')


def test_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(EnvironmentMissing, match=r'pip install -e "\.\[hub\]"'):
        find_folder(f'a/b@{REVISION}')
