from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.model.network.magma_config import MAGMA_NANO, write_config  # noqa: E402
from magma_ros.model.weights.checkpoint import checksum_checkpoint  # noqa: E402
from magma_ros.model.weights.folder_report import inspect_folder  # noqa: E402
from magma_ros.model.weights.random_checkpoint import write_random_checkpoint  # noqa: E402
from magma_ros.resources import asset_path  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_random_checkpoint(MAGMA_NANO, tmp_path / 'nano')
    return tmp_path / 'nano'


def test_the_shipped_checkpoint_is_whole() -> None:
    report = inspect_folder(asset_path('nano'))
    assert report.problems == ()
    assert (report.model, report.layout) == ('magma-nano', 'magma_ros')
    assert report.statistics_keys == ('magma_nano_sim',)
    assert not report.random_weights
    assert report.sha256 is None
    assert report.free_bytes > 0


def test_hash_and_memory(folder: Path) -> None:
    report = inspect_folder(folder, with_hash=True)
    assert report.sha256 == checksum_checkpoint(folder)
    assert list(report.memory_bytes) == ['fp32', 'bf16', 'fp16', 'int8', 'int4']
    assert report.memory_bytes['fp32'] > report.memory_bytes['bf16'] > report.memory_bytes['int8']
    assert json.loads(json.dumps(report.as_json()))['loads'] is True


def test_statistics_beside_the_weights_come_first(folder: Path) -> None:
    (folder / 'dataset_statistics.json').write_text('{"my_arm": {}, "bridge": {}}')
    assert inspect_folder(folder).statistics_keys == ('bridge', 'my_arm')


def test_all_that_is_wrong_is_said_at_once(folder: Path) -> None:
    entries = json.loads((folder / 'config.json').read_text())
    entries['decoder']['hidden_size'] = 256
    entries['vocabulary']['image'] = 1028
    (folder / 'config.json').write_text(json.dumps(entries))

    report = inspect_folder(folder)

    assert not report.loads
    assert any('lm_head.weight is (1033, 128), expected (1033, 256)' in p for p in report.problems)
    assert any('tokenizer.json belongs to another model' in p for p in report.problems)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    report = inspect_folder(tmp_path)
    assert not report.loads
    assert report.model is None
    write_config(MAGMA_NANO, tmp_path / 'config.json')
    assert 'has no model*.safetensors' in inspect_folder(tmp_path).problems[0]
