from __future__ import annotations

from dataclasses import asdict, replace

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.benchmarks import model  # noqa: E402
from magma_ros.benchmarks.model_slice import slice_config  # noqa: E402
from magma_ros.model.network.magma_config import CONVNEXT, MAGMA_8B, DecoderConfig  # noqa: E402

pytestmark = pytest.mark.torch


def small_config():
    """The slice's parts and rules in a few million parameters."""
    decoder = DecoderConfig(128, 256, 2, 4, 2, rope_theta=500000.0)
    slice_ = slice_config()
    return replace(
        slice_,
        vision=replace(CONVNEXT['nano'], depths=(1, 1, 1, 1)),
        projector=replace(slice_.projector, hidden_size=128),
        decoder=decoder,
        preprocessor=replace(slice_.preprocessor, base_img_size=256, num_crops=1),
    )


def test_the_slice_keeps_the_width_and_the_proportions() -> None:
    config = slice_config()
    assert config.decoder.hidden_size == 4096
    assert 8 * config.decoder.num_hidden_layers == MAGMA_8B.decoder.num_hidden_layers
    assert 8 * sum(config.vision.depths) == sum(MAGMA_8B.vision.depths)
    assert config.vocabulary.rows == MAGMA_8B.vocabulary.rows // 8
    assert max(asdict(config.vocabulary).values()) == config.vocabulary.rows


def test_every_figure_is_measured_and_the_ids_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, 'steal_and_total', lambda: (0, 0))
    entries = {entry.name: entry for entry in model.measure(small_config(), repeats=1)}
    assert entries.keys() == {*model.GOALS, 'model-disturbed-repeats'}
    assert all(entries[name].value > 0 for name in model.GOALS)
    assert entries['model-disturbed-repeats'].value == 0


def test_repeats_with_stolen_time_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([(0, 0), (3, 100), (4, 200)])
    monkeypatch.setattr(model, 'steal_and_total', lambda: next(ticks))
    monkeypatch.setattr(model, 'random_slice', lambda config: None)
    repeats = [{'model-step-bf16': 9.0}, {'model-step-bf16': 2.0}]
    monkeypatch.setattr(model, '_repeat', lambda *given: iter(repeats))
    step, disturbed = model.measure(small_config(), repeats=1)
    assert (step.value, disturbed.value) == (2.0, 1)


def test_different_ids_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (0,) * 7
    run = model.OurWay.run
    monkeypatch.setattr(model.OurWay, 'run', lambda *given: replace(run(*given), choices=wrong))
    with pytest.raises(ValueError, match='with a right draft the ids are'):
        model.measure(small_config(), repeats=1)
