"""Seven action ids, drafted and verified: fewer passes over the weights, the same ids.

After the prompt the ids 2 to 7 are missing. A window pass takes six ids behind the prompt and
scores what follows each of them. What follows an id is right if this id and all before it are
right, so one pass settles every drafted id that the scores confirm, and one more. What it scores
behind the first mistake is the draft of the next pass (Jacobi iteration).

Why nothing changes: attention is causal and every window pass has the same shape, at the same
place, so the scores behind right ids are the same numbers, bit for bit, whatever stands after
them; without drafts the same passes are made with one id settled by each. (Against passes of one
row, as in ``generate`` of transformers, bfloat16 rounds differently, and a near tie may fall to
the other side: the same holds between any two kernels.) Sampling draws one number per position
beforehand, so a choice depends on the scores alone.

Source: Jacobi decoding as in PD-VLA, arXiv 2503.02310; drafts from the previous action are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_model import ActionAnswer
from magma_ros.model.action_tokens import ACTION_BINS, ACTION_LENGTH, decode_action
from magma_ros.model.decoding import (
    DecodingSettings,
    Draft,
    choose_token,
    require_finite,
    softmax,
)

Float32Array = NDArray[np.float32]
Choices = NDArray[np.intp]  # indices 0..255 into the action ids

WINDOW = ACTION_LENGTH - 1  # the last id is never read, only chosen
NEUTRAL = ACTION_BINS // 2  # 0.0: the first guess when there is no better one

Choose = Callable[[Float32Array, slice], Choices]
"""(n, 256) logits of n neighbouring positions -> (n,) choices."""

ScoreWindow = Callable[[Choices], Float32Array]
"""(6,) choices behind the prompt -> (6, 256) logits of what follows each; may be called again."""


class StepNetwork(Protocol):
    """A network that goes on by one id at a time."""

    def embed(self, ids: Sequence[int]) -> Float32Array:
        """T ids -> (T, d)."""

    def decode(self, embeddings: Float32Array, cache: Any | None) -> tuple[Float32Array, Any]:
        """(T, d) after the cache -> logits (vocabulary rows,) of the last, and a longer cache."""


@runtime_checkable
class WindowNetwork(Protocol):
    """A network that can score a whole action in one pass."""

    def begin_action(self, embeddings: Float32Array) -> tuple[Float32Array, ScoreWindow]:
        """(T, d) prompt -> logits (256,) of the first action id, and what scores the others."""


class ActionDecoder:
    """Chooses actions by the rule of the settings; remembers the last one as a draft."""

    def __init__(
        self,
        network: StepNetwork | WindowNetwork,
        base_vocabulary_size: int,
        settings: DecodingSettings,
    ) -> None:
        """Drafts are used if the network scores windows.

        Raises:
            ConfigurationError: there is no such draft.
        """
        if settings.draft not in get_args(Draft):
            raise ConfigurationError(
                f'draft {settings.draft!r} is unknown: choose one of {get_args(Draft)}'
            )
        self._network = network
        self._base = base_vocabulary_size
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Restarts the random numbers and forgets the last action."""
        self._rng = np.random.default_rng(self._settings.seed)
        self._previous: Choices | None = None

    def decode(self, embeddings: Float32Array) -> ActionAnswer:
        """(T, d) prompt -> seven ids."""
        uniforms = self._rng.random(ACTION_LENGTH)

        def choose(logits: Float32Array, positions: slice) -> Choices:
            rule, temperature = self._settings.rule, self._settings.temperature
            return choose_token(logits, rule, temperature, uniforms[positions])

        if isinstance(self._network, WindowNetwork):
            first, score = self._network.begin_action(embeddings)
            draft = self._draft()
            is_kept = self._settings.draft != 'none'
            choices, logits, passes = verify_drafts(first, score, choose, draft, is_kept)
        else:
            choices, logits = self._step_through(embeddings, choose)
            passes = (1,) * ACTION_LENGTH
        require_finite(logits)
        self._previous = choices
        ids = choices + (self._base - ACTION_BINS)
        probabilities = softmax(logits)[np.arange(ACTION_LENGTH), choices]
        return ActionAnswer(
            tuple(ids.tolist()), decode_action(ids, self._base), probabilities, passes
        )

    def _draft(self) -> Choices:
        if self._settings.draft == 'previous' and self._previous is not None:
            return self._previous
        return np.full(ACTION_LENGTH, NEUTRAL, dtype=np.intp)

    def _step_through(self, embeddings: Float32Array, choose: Choose) -> tuple[Choices, Any]:
        assert not isinstance(self._network, WindowNetwork)
        network, first_id = self._network, self._base - ACTION_BINS
        choices = np.empty(ACTION_LENGTH, dtype=np.intp)
        logits = np.empty((ACTION_LENGTH, ACTION_BINS), dtype=np.float32)
        words, cache = network.decode(embeddings, None)
        for place in range(ACTION_LENGTH):
            if place > 0:
                last_id = first_id + int(choices[place - 1])
                words, cache = network.decode(network.embed([last_id]), cache)
            here = slice(place, place + 1)
            logits[here] = words[first_id : self._base]
            choices[here] = choose(logits[here], here)
        return choices, logits


def verify_drafts(
    first_logits: Float32Array,
    score: ScoreWindow,
    choose: Choose,
    draft: Choices,
    keeps_confirmed: bool = True,
) -> tuple[Choices, Float32Array, tuple[int, ...]]:
    """Seven choices, equal for every draft.

    Args:
        first_logits: (256,) after the prompt.
        score: the window pass.
        choose: depends on nothing but logits and position.
        draft: (7,) guesses, any numbers 0..255; the first is not used.
        keeps_confirmed: if not, each pass settles one choice: plain decoding.

    Returns:
        The choices, the logits (7, 256) they were made from, and how many were settled by the
        prompt's pass and by each window pass.
    """
    logits = np.empty((ACTION_LENGTH, ACTION_BINS), dtype=np.float32)
    logits[0] = first_logits
    guesses = np.array(draft, dtype=np.intp)
    guesses[:1] = choose(logits[:1], slice(0, 1))
    passes = [1]
    while (settled := sum(passes)) < ACTION_LENGTH:
        scores = score(guesses[:WINDOW])
        logits[settled:] = scores[settled - 1 :]
        # All six at once, so that this step too does the same sums whatever is settled.
        chosen = choose(scores, slice(1, ACTION_LENGTH))[settled - 1 :]
        agrees = chosen == guesses[settled:]
        guesses[settled:] = chosen
        # The first that disagrees is settled too: it was chosen behind right ones only.
        confirmed = len(agrees) if agrees.all() else int(np.argmin(agrees)) + 1
        passes.append(confirmed if keeps_confirmed else 1)
    return guesses, logits, tuple(passes)
