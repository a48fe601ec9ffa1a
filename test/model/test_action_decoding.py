from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ConfigurationError, ModelError
from magma_ros.model.action_decoding import ActionDecoder, verify_drafts
from magma_ros.model.decoding import DecodingSettings, choose_token

BASE = 1024
PROMPT = np.zeros((3, 1), dtype=np.float32)
seeds = st.integers(0, 2**32 - 1)
drafts = st.lists(st.integers(0, 255), min_size=7, max_size=7)


def causal_logits(seed: int, choices: Sequence[int]) -> np.ndarray:
    """Logits after some choices: any function of them and of nothing else will do."""
    rng = np.random.default_rng([seed, *map(int, choices)])
    return (rng.standard_normal(256) * 3).astype(np.float32)


class WindowNetwork:
    """Scores whole windows and counts how often."""

    def __init__(self, seed: int = 0) -> None:
        self.seed, self.passes = seed, 0

    def begin_action(self, embeddings: np.ndarray):
        def score(choices: np.ndarray) -> np.ndarray:
            self.passes += 1
            assert choices.shape == (6,)
            return np.stack([causal_logits(self.seed, choices[: n + 1]) for n in range(6)])

        return causal_logits(self.seed, []), score


class StepNetwork:
    """The same numbers, one id at a time; words outside the actions are always likelier."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def embed(self, ids: Sequence[int]) -> np.ndarray:
        return np.array(ids, dtype=np.float32)[:, None] - (BASE - 256)

    def decode(self, embeddings: np.ndarray, cache: list[int] | None):
        choices = [] if cache is None else [*cache, int(embeddings[-1, 0])]
        words = np.full(BASE + 9, 100.0, dtype=np.float32)
        words[BASE - 256 : BASE] = causal_logits(self.seed, choices)
        return words, choices


@settings(deadline=None, max_examples=60)
@given(seeds, drafts, st.sampled_from(['greedy', 'median', 'sample']), seeds)
def test_no_draft_changes_the_choices(seed: int, draft: list[int], rule: str, noise: int) -> None:
    uniforms = np.random.default_rng(noise).random(7)

    def choose(logits: np.ndarray, positions: slice) -> np.ndarray:
        return choose_token(logits, rule, 0.7, uniforms[positions])  # type: ignore[arg-type]

    first, score = WindowNetwork(seed).begin_action(PROMPT)
    plain = []
    for place in range(7):
        logits = causal_logits(seed, plain)[None]
        plain.append(int(choose(logits, slice(place, place + 1))[0]))
    # Drafts that are right for a while are the ones that could go wrong.
    for right in range(8):
        mixed = np.array([*plain[:right], *draft[right:]])
        choices, logits, passes = verify_drafts(first, score, choose, mixed)
        assert choices.tolist() == plain
        assert np.array_equal(logits[6], causal_logits(seed, plain[:6]))
        assert sum(passes) == 7
        assert len(passes) <= 7 - max(right - 1, 0) + (right == 7)


def test_a_right_draft_takes_one_pass_and_a_wrong_one_at_most_six() -> None:
    network = WindowNetwork(3)
    decoder = ActionDecoder(network, BASE, DecodingSettings(rule='greedy'))
    first = decoder.decode(PROMPT)
    assert network.passes == len(first.ids_per_pass) - 1 <= 6
    second = decoder.decode(PROMPT)
    assert second.ids == first.ids
    assert second.ids_per_pass == (1, 6)
    decoder.reset()
    assert decoder.decode(PROMPT).ids_per_pass == first.ids_per_pass


def test_without_drafts_each_pass_settles_one() -> None:
    network = WindowNetwork()
    decoder = ActionDecoder(network, BASE, DecodingSettings(rule='greedy', draft='none'))
    for _ in range(2):
        assert decoder.decode(PROMPT).ids_per_pass == (1,) * 7
    assert network.passes == 12


@pytest.mark.parametrize('rule', ['greedy', 'median', 'sample'])
@pytest.mark.parametrize('draft', ['previous', 'jacobi', 'none'])
def test_windows_and_steps_give_the_same_actions(rule: str, draft: str) -> None:
    chosen = DecodingSettings(rule=rule, temperature=0.7, draft=draft, seed=4)  # type: ignore[arg-type]
    windows = ActionDecoder(WindowNetwork(9), BASE, chosen)
    steps = ActionDecoder(StepNetwork(9), BASE, chosen)
    for _ in range(3):
        by_window, by_step = windows.decode(PROMPT), steps.decode(PROMPT)
        assert by_window.ids == by_step.ids
        assert np.array_equal(by_window.probabilities, by_step.probabilities)
        assert all(BASE - 256 <= token < BASE for token in by_step.ids)


def test_samples_follow_the_distribution() -> None:
    """Also of an id that is drafted: here the second, whatever the first was."""

    class Fixed(WindowNetwork):
        def begin_action(self, embeddings: np.ndarray):
            logits = causal_logits(1, [])
            return logits, lambda choices: np.tile(logits, (6, 1))

    chosen = DecodingSettings(rule='sample', temperature=0.5)
    decoder = ActionDecoder(Fixed(), BASE, chosen)
    ids = np.array([decoder.decode(PROMPT).ids for _ in range(600)]) - (BASE - 256)
    logits = causal_logits(1, []).astype(float) / 0.5
    expected = np.exp(logits - logits.max())
    likeliest = int(np.argmax(expected))
    for place in (0, 1, 6):
        share = np.mean(ids[:, place] == likeliest)
        assert share == pytest.approx(expected[likeliest] / expected.sum(), abs=0.07)


def test_unknown_draft() -> None:
    with pytest.raises(ConfigurationError, match='previous.*jacobi.*none'):
        ActionDecoder(WindowNetwork(), BASE, DecodingSettings(draft='last'))  # type: ignore[arg-type]


@pytest.mark.parametrize('rule', ['greedy', 'median', 'sample'])
def test_scores_that_are_no_numbers_are_no_action(rule: str) -> None:
    class Broken(WindowNetwork):
        def begin_action(self, embeddings: np.ndarray):
            first, score = super().begin_action(embeddings)
            return np.full_like(first, np.nan), score

    decoder = ActionDecoder(Broken(), BASE, DecodingSettings(rule=rule))  # type: ignore[arg-type]

    with pytest.raises(ModelError, match='not finite'):
        decoder.decode(PROMPT)
