from __future__ import annotations

import numpy as np
import pytest

from magma_ros.evaluation.statistics.sequential import paired_evidence
from magma_ros.evaluation.statistics.simulated_sessions import PairModel, continue_sessions


@pytest.mark.parametrize('difficulty_sd', [0.0, 2.0, 4.0])
def test_draws_have_the_chances_that_the_cells_say(difficulty_sd: float) -> None:
    model = PairModel(0.7, 0.85, difficulty_sd)
    first, second = model.draw(sessions=200, pairs=1000, seed=0)

    seen = [
        np.mean(first & second),
        np.mean(first & ~second),
        np.mean(~first & second),
        np.mean(~first & ~second),
    ]

    assert seen == pytest.approx(model.cells(), abs=5e-3)
    assert sum(model.cells()) == pytest.approx(1.0)


def test_shared_difficulty_makes_pairs_agree() -> None:
    def differing(sd: float) -> float:
        _, first_only, second_only, _ = PairModel(0.7, 0.85, sd).cells()
        return first_only + second_only

    assert differing(0.0) == pytest.approx(0.7 * 0.15 + 0.3 * 0.85)
    assert differing(4.0) < differing(2.0) < differing(0.0)


def test_a_session_that_goes_on_begins_where_it_was() -> None:
    first, second = np.array([True] * 6 + [False]), np.array([False] * 6 + [True])

    futures = continue_sessions(first, second, paired_evidence, more=1, sessions=500, seed=0)

    worse, better = np.exp(paired_evidence([*first, False], [*second, True]))[-1], None
    better = np.exp(paired_evidence([*first, True], [*second, False]))[-1]
    values, counts = np.unique(np.exp(futures).round(9), return_counts=True)
    assert values == pytest.approx([worse, better])
    assert counts[1] / 500 == pytest.approx(6 / 7, abs=0.05)
