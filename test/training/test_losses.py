"""Losses of both stages, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from magma_ros.model.network.magma_config import MAGMA_NANO  # noqa: E402
from magma_ros.training.answers import ACTION, HARD, NUMBER  # noqa: E402
from magma_ros.training.policy_training import (  # noqa: E402
    SIGMA_END,
    SIGMA_START,
    sigma_at,
)
from magma_ros.training.soft_targets import soft_cross_entropy  # noqa: E402
from magma_ros.training.tower_training import (  # noqa: E402
    median_error_px,
    normalise,
    place_loss,
    yaw_loss,
)

pytestmark = pytest.mark.torch
BASE = MAGMA_NANO.vocabulary.base_size
NUMBER_IDS = list(range(300, 556))
TABLES = {NUMBER: torch.tensor(NUMBER_IDS), ACTION: torch.arange(BASE - 256, BASE)}


def perfect(places: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores and offsets that see each thing where it is."""
    scores, offsets = torch.zeros(1, 64, len(places)), torch.zeros(1, 64, len(places), 2)
    for thing, (x, y) in enumerate(places):
        if not math.isnan(x):
            cell = int(y * 8) * 8 + int(x * 8)
            scores[0, cell, thing] = 50.0
            offsets[0, cell, thing] = torch.tensor([x * 8 % 1, y * 8 % 1])
    return scores, offsets


PLACES = [[0.1, 0.9], [0.51, 0.26], [math.nan, math.nan]]


def test_seeing_everything_in_its_place_costs_nothing() -> None:
    scores, offsets = perfect(PLACES)

    loss, cells = place_loss(scores, offsets, torch.tensor([PLACES]))

    assert loss.item() == pytest.approx(0.0, abs=1e-4)
    assert cells.tolist() == [[7 * 8 + 0, 2 * 8 + 4, -1]]
    assert median_error_px(scores, offsets, torch.tensor([PLACES])) == pytest.approx(0, abs=1e-3)


def test_what_is_absent_does_not_count() -> None:
    scores, offsets = perfect(PLACES)
    scores[0, :, 2] = torch.randn(64)

    loss, _ = place_loss(scores, offsets, torch.tensor([PLACES]))

    assert loss.item() == pytest.approx(0.0, abs=1e-4)


def test_an_offset_costs_twice_its_length_in_cells() -> None:
    scores, offsets = perfect(PLACES)

    loss, _ = place_loss(scores, offsets + torch.tensor([0.1, 0.0]), torch.tensor([PLACES]))

    assert loss.item() == pytest.approx(0.2, abs=1e-4)


def test_not_knowing_costs_the_logarithm_of_the_cells() -> None:
    _, offsets = perfect(PLACES)

    loss, _ = place_loss(torch.zeros(1, 64, 3), offsets, torch.tensor([PLACES]))

    assert loss.item() == pytest.approx(math.log(64), abs=1e-4)


def test_yaws_are_equal_every_quarter_turn() -> None:
    cells = torch.tensor([[3, 9, -1]])
    yaw = torch.tensor([[0.3, -0.5, 9.9]])
    seen = torch.zeros(1, 64, 3, 2)
    for cube in range(2):
        angle = 4 * (yaw[0, cube] + math.pi / 2)
        seen[0, cells[0, cube], cube] = torch.tensor([angle.cos(), angle.sin()])

    assert yaw_loss(seen, cells, yaw).item() == pytest.approx(0.0, abs=1e-5)
    assert yaw_loss(-seen, cells, yaw).item() > 1.0


def logits_for(kind: int, ids: list[int], sigma: float) -> torch.Tensor:
    """Logits whose probabilities are exactly the soft targets."""
    logits = torch.full((len(ids), BASE + 9), -60.0)
    columns = NUMBER_IDS if kind == NUMBER else list(range(BASE - 256, BASE))
    for row, id_ in enumerate(ids):
        if kind == HARD:
            logits[row, id_] = 60.0
        else:
            distance = torch.arange(256.0) - columns.index(id_)
            logits[row, columns] = -(distance**2) / (2 * sigma**2)
    return logits


@pytest.mark.parametrize(
    ('kind', 'ids'),
    [(HARD, [5, 700]), (NUMBER, [300, 420, 555]), (ACTION, [BASE - 256, BASE - 1, BASE - 100])],
)
@pytest.mark.parametrize('sigma', [2.0, 12.0])
def test_the_soft_target_itself_costs_nothing(kind: int, ids: list[int], sigma: float) -> None:
    kinds = torch.full((len(ids),), kind)

    loss = soft_cross_entropy(
        logits_for(kind, ids, sigma), torch.tensor(ids), kinds, TABLES, sigma
    )

    assert loss.tolist() == pytest.approx([0.0] * len(ids), abs=1e-3)


def test_a_near_miss_costs_less_than_a_far_one() -> None:
    logits = logits_for(NUMBER, [400], 2.0).expand(3, -1)

    loss = soft_cross_entropy(
        logits, torch.tensor([400, 401, 420]), torch.full((3,), NUMBER), TABLES, 2.0
    )

    assert loss[0] < loss[1] < loss[2]


def test_soft_targets_shrink_and_stay_narrow() -> None:
    widths = [sigma_at(step, 100) for step in range(101)]

    assert widths[0] == SIGMA_START
    assert widths[60] == pytest.approx(SIGMA_END)
    assert widths[-1] == SIGMA_END
    assert all(later <= earlier for earlier, later in zip(widths, widths[1:], strict=False))


def test_pixels_are_normalised_and_vary_only_when_asked() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)

    plain, varied = normalise(images, None), normalise(images, np.random.default_rng(0))

    mean, std = MAGMA_NANO.preprocessor.mean, MAGMA_NANO.preprocessor.std
    expected = (images[1, 5, 7] / 255 - np.array(mean)) / np.array(std)
    assert plain.shape == (2, 3, 256, 256)
    assert plain[1, :, 5, 7].numpy() == pytest.approx(expected, abs=1e-5)
    assert 0.01 < (plain - varied).abs().mean() < 0.5
