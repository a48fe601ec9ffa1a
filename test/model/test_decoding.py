from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.decoding import choose_token, require_finite, softmax


def logits_of(probabilities: dict[int, float]) -> np.ndarray:
    logits = np.full(256, -30.0, dtype=np.float32)
    for index, probability in probabilities.items():
        logits[index] = np.log(probability)
    return logits


def test_greedy_takes_the_peak_and_median_the_middle() -> None:
    logits = logits_of({10: 0.4, 100: 0.3, 101: 0.3})
    assert choose_token(logits, 'greedy') == 10
    assert choose_token(logits, 'median') == 100


def test_median_of_a_certain_answer() -> None:
    for index in (0, 128, 255):
        assert choose_token(logits_of({index: 1.0}), 'median') == index


def test_temperature_sharpens() -> None:
    logits = logits_of({10: 0.45, 200: 0.55})
    assert choose_token(logits_of({10: 0.55, 200: 0.45}), 'median', 0.1) == 10
    assert choose_token(logits, 'median', 0.1) == 200


def test_samples_follow_the_distribution() -> None:
    logits = np.tile(logits_of({3: 0.25, 7: 0.75}), (4000, 1))
    chosen = choose_token(logits, 'sample', uniforms=np.random.default_rng(0).random(4000))
    assert set(chosen.tolist()) == {3, 7}
    assert (chosen == 7).mean() == pytest.approx(0.75, abs=0.03)


def test_batches_equal_single_choices() -> None:
    logits = np.random.default_rng(0).standard_normal((5, 3, 256)).astype(np.float32)
    for rule in ('greedy', 'median'):
        chosen = choose_token(logits, rule)
        assert chosen.shape == (5, 3)
        assert chosen[4, 2] == choose_token(logits[4, 2], rule)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 50.0))
def test_choices_are_in_range(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits = (rng.standard_normal(256) * scale).astype(np.float32)
    assert softmax(logits).sum() == pytest.approx(1.0)
    for rule in ('greedy', 'median', 'sample'):
        assert 0 <= choose_token(logits, rule, uniforms=rng.random()) <= 255


def test_bad_settings() -> None:
    logits = np.zeros(256, dtype=np.float32)
    with pytest.raises(ConfigurationError, match='greedy.*median.*sample'):
        choose_token(logits, 'mean')  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match='positive'):
        choose_token(logits, 'median', 0.0)
    with pytest.raises(ConfigurationError, match='seed'):
        choose_token(logits, 'sample')


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_choose_nothing(bad: float) -> None:
    logits = np.zeros((7, 256), np.float32)
    require_finite(logits)
    logits[3, 100] = bad

    with pytest.raises(ModelError, match='not finite'):
        require_finite(logits)
