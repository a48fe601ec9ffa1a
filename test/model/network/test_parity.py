"""Our network against the same network made of stock pieces, with the same random weights."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from plain_magma import PlainMagma, plain_tower  # noqa: E402

from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, MagmaConfig  # noqa: E402

pytestmark = pytest.mark.torch
PLAIN_PROJECTOR = replace(MAGMA_NANO.projector, position_features=False)
# A quarter of the picture's side: same layers, sixteenth of the time.
ONE_CROP = replace(
    MAGMA_NANO,
    name='nano-like',
    projector=PLAIN_PROJECTOR,
    preprocessor=replace(MAGMA_NANO.preprocessor, base_img_size=64),
)
# Magma-8B in small: four crops, grouped queries, its epsilon, theta and vocabulary order.
FOUR_CROPS = replace(
    ONE_CROP,
    name='8b-like',
    preprocessor=replace(MAGMA_8B.preprocessor, base_img_size=64),
    decoder=replace(
        MAGMA_8B.decoder,
        hidden_size=96,
        intermediate_size=160,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
    ),
)
CONFIGS = pytest.mark.parametrize(
    ('config', 'grids'),
    [(ONE_CROP, [(1, 1)]), (FOUR_CROPS, [(2, 2)]), (FOUR_CROPS, [(1, 2), (1, 1), (3, 1)])],
    ids=['nano-like', '2 x 2 crops', 'three pictures'],
)


def build(config: MagmaConfig) -> tuple[MagmaForAction, PlainMagma]:
    """Both with the same weights, spread so that every layer matters."""
    torch.manual_seed(5)
    ours = MagmaForAction(config).eval()
    for name, parameter in ours.named_parameters():
        if 'gamma' in name or ('norm' in name and name.endswith('weight')):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        elif parameter.ndim == 1:
            torch.nn.init.normal_(parameter, std=0.1)
    return ours, PlainMagma(config, {k: v.detach() for k, v in ours.state_dict().items()})


@CONFIGS
@torch.no_grad()
def test_hidden_states_and_greedy_ids_are_the_same(
    config: MagmaConfig, grids: list[tuple[int, int]]
) -> None:
    ours, plain = build(config)
    crops = [torch.randn(rows * columns, 3, 64, 64) for rows, columns in grids]
    seen = [ours.encode_crops(*pair)[0] for pair in zip(crops, grids, strict=True)]
    seen_plainly = [plain.see(*pair) for pair in zip(crops, grids, strict=True)]
    for found, expected, grid in zip(seen, seen_plainly, grids, strict=True):
        assert found.shape == (config.visual_tokens(grid), config.decoder.hidden_size)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)

    ids = [3, 1, *[config.vocabulary.image, 4] * len(grids), 9, 2]
    embeddings, _ = ours.merge([torch.tensor(ids)], [seen])
    plain_embeddings = plain.read(ids, seen_plainly)
    hidden = ours.hidden_states(embeddings)
    torch.testing.assert_close(hidden, plain.hidden_states(plain_embeddings), atol=1e-5, rtol=0)
    greedy = ours.generate(embeddings, 12, lambda logits: logits.argmax(dim=-1))
    assert greedy[0].tolist() == plain.generate(plain_embeddings, 12)


@torch.no_grad()
def test_the_epsilon_of_the_norms_is_magmas() -> None:
    """What transformers (and timm) take by default would be another network."""
    ours, _ = build(ONE_CROP)
    dim = torch.randn(1, 3, 64, 64) * 1e-3
    tensors = dict(ours.state_dict())
    expected = ours.vision_tower(dim).permute(0, 3, 1, 2)
    exact = plain_tower(ONE_CROP, tensors)(dim).last_hidden_state
    other = replace(ONE_CROP, vision=replace(ONE_CROP.vision, layer_norm_eps=1e-6))
    torch.testing.assert_close(exact, expected, atol=1e-5, rtol=0)
    assert not torch.allclose(
        plain_tower(other, tensors)(dim).last_hidden_state, expected, atol=1e-4
    )
