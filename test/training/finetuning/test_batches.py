"""What a step draws depends on its number alone, and a mixture keeps its shares."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('torch')

from magma_ros.errors import ConfigurationError  # noqa: E402
from magma_ros.image.image_preparation import prepare_image  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.training.finetuning.batches import MixtureSampler  # noqa: E402
from magma_ros.training.finetuning.pictures import to_pixels  # noqa: E402
from magma_ros.training.finetuning.settings import Mixture  # noqa: E402

pytestmark = pytest.mark.torch
KINDS = ['action'] * 30 + ['trace'] * 7 + ['verbal'] * 5


@settings(deadline=None, max_examples=20)
@given(
    st.floats(0.1, 5),
    st.floats(0.1, 5),
    st.integers(1, 16),
    st.integers(0, 100),
    st.integers(0, 9),
)
def test_shares_hold_and_every_batch_is_full(
    action: float, trace: float, batch: int, step: int, seed: int
) -> None:
    sampler = MixtureSampler(KINDS, Mixture(action, trace), batch, seed)  # type: ignore[arg-type]

    drawn = [sampler.draw(step) for step in range(step + 1)]

    assert all(len(indices) == batch for indices in drawn)
    count = Counter(KINDS[index] for indices in drawn for index in indices)
    expected = batch * (step + 1) * action / (action + trace)
    assert abs(count['action'] - expected) <= 1
    assert count['verbal'] == 0
    again = MixtureSampler(KINDS, Mixture(action, trace), batch, seed)  # type: ignore[arg-type]
    assert again.draw(step) == drawn[-1]  # as after a resumption


def test_every_sample_comes_once_before_any_comes_twice() -> None:
    sampler = MixtureSampler(KINDS, Mixture(1.0), 5, seed=3)  # type: ignore[arg-type]

    epochs = [
        sorted(index for step in range(6 * e, 6 * e + 6) for index in sampler.draw(step))
        for e in range(2)
    ]

    assert epochs == [list(range(30))] * 2
    assert sampler.draw(0) != sampler.draw(6)


def test_a_mixture_of_nothing_that_is_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='none of the kinds'):
        MixtureSampler(['verbal'], Mixture(1.0, 1.0), 4, 0)


PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def test_without_augmentation_training_sees_what_run_time_sees() -> None:
    config = MAGMA_NANO.preprocessor

    assert (to_pixels(PICTURE, config) == prepare_image(PICTURE, config)[0]).all()


def test_augmentation_repeats_with_its_seed_and_keeps_the_picture_recognisable() -> None:
    config = MAGMA_NANO.preprocessor
    plain = to_pixels(PICTURE, config)
    seen = [
        to_pixels(PICTURE, config, 'colour', np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    cropped = to_pixels(PICTURE, config, 'published', np.random.default_rng(1))

    assert (seen[0] == seen[1]).all()
    assert (seen[0] != seen[2]).any()
    assert np.corrcoef(plain.ravel(), seen[0].ravel())[0, 1] > 0.9
    assert np.corrcoef(seen[0].ravel(), cropped.ravel())[0, 1] < 0.9  # everything has moved
