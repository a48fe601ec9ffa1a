from __future__ import annotations

import json
from pathlib import Path

import pytest

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import (
    CONVNEXT,
    MAGMA_8B,
    MAGMA_NANO,
    MAGMA_TINY,
    MagmaConfig,
    read_config,
    write_config,
)

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'checkpoint.json').read_text())


@pytest.mark.parametrize(
    'config', [MAGMA_8B, MAGMA_TINY, MAGMA_NANO], ids=lambda config: config.name
)
def test_round_trip(tmp_path: Path, config: MagmaConfig) -> None:
    write_config(config, tmp_path / 'config.json')
    assert read_config(tmp_path / 'config.json') == config


def test_8b_is_as_published() -> None:
    llama = GOLDEN['llama_read']
    decoder = MAGMA_8B.decoder
    assert decoder.hidden_size == llama['hidden_size']
    assert decoder.intermediate_size == llama['intermediate_size']
    assert decoder.rope_theta == llama['rope_theta']
    assert decoder.rms_norm_eps == llama['rms_norm_eps']
    assert MAGMA_8B.vocabulary.rows == llama['vocab_rows_expected']
    assert list(MAGMA_8B.vision.channels) == GOLDEN['convnext_xxlarge']['dims']
    assert list(MAGMA_8B.vision.depths) == GOLDEN['convnext_xxlarge']['depths']
    assert MAGMA_8B.state is None


@pytest.mark.parametrize('name', sorted(GOLDEN['channel_lists_read']))
def test_towers_are_as_published(name: str) -> None:
    # The published lists begin with the channels of the stem.
    assert [CONVNEXT[name].channels[0], *CONVNEXT[name].channels] == (
        GOLDEN['channel_lists_read'][name]
    )
    assert CONVNEXT[name].layer_norm_eps == (1e-5 if name == 'xxlarge' else 1e-6)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda entries: entries.pop('vision'), 'vision'),
        (lambda entries: entries.update(extra=1), 'extra'),
        (lambda entries: entries['vision'].update(depths=3), 'depths must be a list'),
        (lambda entries: entries['decoder'].update(hidden_size='big'), 'hidden_size must be int'),
        (lambda entries: entries.update(vocabulary=[]), 'must be an object'),
    ],
)
def test_wrong_entries_are_named(tmp_path: Path, change: object, message: str) -> None:
    path = tmp_path / 'config.json'
    write_config(MAGMA_NANO, path)
    entries = json.loads(path.read_text())
    change(entries)  # type: ignore[operator]
    path.write_text(json.dumps(entries))
    with pytest.raises(ModelError, match=message):
        read_config(path)


def test_no_file_and_no_json(tmp_path: Path) -> None:
    path = tmp_path / 'config.json'
    with pytest.raises(ModelError, match='does not exist'):
        read_config(path)
    path.write_text('not json')
    with pytest.raises(ModelError, match='not JSON'):
        read_config(path)
