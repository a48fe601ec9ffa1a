"""Two loads that may answer differently never have the same identity."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.action_model import ModelIdentity  # noqa: E402
from magma_ros.model.action_scaling import load_statistics  # noqa: E402
from magma_ros.model.backends.acting_model import ModelChoice, load_acting_model  # noqa: E402
from magma_ros.model.backends.local_model import (  # noqa: E402
    LocalSettings,
    PrecisionName,
    load_local_model,
    settle_statistics,
)
from magma_ros.model.weights.checkpoint import checksum_checkpoint  # noqa: E402
from magma_ros.model.weights.identity import mix_in_statistics  # noqa: E402
from magma_ros.resources import asset_path  # noqa: E402
from magma_ros.serving.served_model import ServedModel  # noqa: E402

pytestmark = pytest.mark.torch


def load(
    folder: Path, precision: PrecisionName = 'as stored', statistics: str = 'bridge_orig'
) -> ModelIdentity:
    settings = LocalSettings(precision=precision, device='cpu')
    choice = ModelChoice(str(folder), statistics, settings)
    return load_acting_model(choice, prepare_image).model.identity


@pytest.fixture
def copy(small_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_checkpoint, tmp_path / 'copy'))


def test_every_choice_has_an_identity_of_its_own(small_checkpoint: Path) -> None:
    precisions: tuple[PrecisionName, ...] = (
        'as stored', 'bf16', 'fp16', 'int8-weights', 'int8-dynamic', 'int4',
    )  # fmt: skip
    loads = [load(small_checkpoint, precision) for precision in precisions]
    loads.append(load(small_checkpoint, statistics='google_robot'))
    assert len({identity.sha256 for identity in loads}) == len(loads)
    assert [identity.name for identity in loads[3:6]] == [
        'magma-small-int8-weights', 'magma-small-int8-dynamic', 'magma-small-int4',
    ]  # fmt: skip


def test_the_same_choice_has_the_same_identity(small_checkpoint: Path, copy: Path) -> None:
    assert load(copy) == load(small_checkpoint) == load(small_checkpoint, 'fp32')
    assert load(copy, 'int8') in (load(copy, 'int8-dynamic'), load(copy, 'int8-weights'))


def test_the_tokenizer_counts(small_checkpoint: Path, copy: Path) -> None:
    tokenizer = copy / 'tokenizer.json'
    tokenizer.write_text(tokenizer.read_text() + '\n')
    assert load(copy) != load(small_checkpoint)


def test_values_of_statistics_count_not_only_their_key(copy: Path) -> None:
    own = {'bridge_orig': {'action': {'q01': [-1.0] * 7, 'q99': [1.0] * 7}}}
    shipped = load(copy)
    (copy / 'dataset_statistics.json').write_text(json.dumps(own))
    assert load(copy) != shipped


def test_stored_as_it_is_the_identity_is_what_check_weights_says(small_checkpoint: Path) -> None:
    settings = LocalSettings(device='cpu')
    model, _ = load_local_model(small_checkpoint, prepare_image, settings)
    assert model.identity.sha256 == checksum_checkpoint(small_checkpoint)


def test_the_identity_of_the_shipped_model_is_the_published_one() -> None:
    results = json.loads((Path(__file__).parents[3] / 'docs/nano_results.json').read_text())
    published = results['pick_path']['model']
    acting = load_acting_model(ModelChoice(), prepare_image)
    assert (acting.model.identity.name, acting.model.identity.sha256) == (
        published['name'],
        published['sha256'],
    )


def test_a_package_with_other_numbers_under_the_same_name_is_noticed() -> None:
    statistics = load_statistics('magma_nano_sim')
    identity = ModelIdentity('nano', 'ab')
    assert mix_in_statistics(identity, statistics, 'magma_nano_sim') == identity
    changed = replace(statistics, q99=statistics.q99 * 2)
    assert mix_in_statistics(identity, changed, 'magma_nano_sim') != identity


def test_servers_tell_the_identity_with_the_statistics() -> None:
    model, folder = load_local_model(asset_path('nano'), prepare_image, LocalSettings())
    model.config = replace(model.config, statistics_key=None)
    told = {
        ServedModel(model, settle_statistics(model, folder, key)).describe().sha256
        for key in ('bridge_orig', 'google_robot')
    }
    assert len(told) == 2
