from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_NANO, PreprocessorConfig  # noqa: E402

pytestmark = pytest.mark.torch
IMAGE = MAGMA_NANO.vocabulary.image
CROPS = PreprocessorConfig(base_img_size=64, num_crops=4)
# Position features are nano's own and see the whole map, so that crops would differ.
CONFIG = replace(
    MAGMA_NANO,
    preprocessor=CROPS,
    projector=replace(MAGMA_NANO.projector, position_features=False),
)
GLOBAL = replace(CONFIG, preprocessor=replace(CROPS, anyres_strategy='global'))


@pytest.fixture(scope='module')
def model() -> MagmaForAction:
    torch.manual_seed(1)
    return MagmaForAction(CONFIG).eval()


def test_pictures_take_the_place_of_their_ids(model: MagmaForAction) -> None:
    first, second, third = (torch.randn(n, 128) for n in (6, 4, 6))
    ids = [torch.tensor([IMAGE, 7, IMAGE]), torch.tensor([1, 2, IMAGE, 3]), torch.tensor([5])]
    merged, mask = model.merge(ids, [[first, second], [third], []])
    assert merged.shape == (3, 11, 128)
    assert mask.sum(dim=1).tolist() == [11, 9, 1]
    assert torch.equal(merged[0, :6], first)
    assert torch.equal(merged[0, 6], model.embed(torch.tensor(7)))
    assert torch.equal(merged[0, 7:], second)
    assert torch.equal(merged[1, 4:10], third)
    assert not merged[1, :2].any()
    assert mask[1].tolist() == [0, 0] + 9 * [1]
    assert torch.equal(merged[2, 10], model.embed(torch.tensor(5)))


@pytest.mark.parametrize(
    ('ids', 'pictures'), [([1, 2], 1), ([IMAGE, IMAGE], 1), ([IMAGE], 0), ([IMAGE], 2)]
)
def test_placeholders_and_pictures_must_agree(
    model: MagmaForAction, ids: list[int], pictures: int
) -> None:
    with pytest.raises(ValueError, match=f'for {pictures} pictures'):
        model.merge([torch.tensor(ids)], [[torch.zeros(6, 128)] * pictures])


@torch.no_grad()
def test_a_batch_equals_one_by_one(model: MagmaForAction) -> None:
    """A text, a picture of one crop, one of 2 x 2, and a video of three frames in one pass."""
    small = [model.encode_image(torch.randn(1, 3, 64, 64))[0] for _ in range(4)]
    large = model.encode_crops(torch.randn(4, 3, 64, 64), (2, 2))[0]
    pictures = [[], [small[0]], [large], small[1:]]
    prompts = [
        torch.tensor([1, 2, 3]),
        torch.tensor([1, IMAGE, 2]),
        torch.tensor([1, 9, IMAGE, 2, 4]),
        torch.tensor([IMAGE, 8, IMAGE, 8, IMAGE, 3]),
    ]

    def choose(logits: torch.Tensor) -> torch.Tensor:
        return logits.argmax(dim=-1)

    merged, mask = model.merge(prompts, pictures)
    together = model.generate(merged, 7, choose, attention_mask=mask)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    hidden = model.hidden_states(merged, mask, positions)
    for row, (prompt, seen) in enumerate(zip(prompts, pictures, strict=True)):
        alone, _ = model.merge([prompt], [seen])
        expected = model.hidden_states(alone)[0]
        torch.testing.assert_close(hidden[row, -len(expected) :], expected, atol=2e-5, rtol=1e-4)
        assert torch.equal(together[row : row + 1], model.generate(alone, 7, choose))


@torch.no_grad()
def test_the_strategies_agree_on_one_crop_only(model: MagmaForAction) -> None:
    whole = MagmaForAction(GLOBAL).eval()
    whole.load_state_dict(model.state_dict())
    one, six = torch.randn(1, 3, 64, 64), torch.randn(6, 3, 64, 64)
    torch.testing.assert_close(whole.encode_crops(one, (1, 1)), model.encode_crops(one, (1, 1)))
    seen = whole.encode_crops(six, (2, 3))
    assert seen.shape == model.encode_crops(six, (2, 3)).shape == (1, 4 * 7, 128)
    assert not torch.allclose(seen, model.encode_crops(six, (2, 3)), atol=1e-3)


@torch.no_grad()
def test_global_is_one_look_at_the_stitched_picture(model: MagmaForAction) -> None:
    whole = MagmaForAction(GLOBAL).eval()
    picture = torch.randn(1, 3, 128, 192)
    crops = picture.unfold(2, 64, 64).unfold(3, 64, 64).permute(0, 2, 3, 1, 4, 5)
    found = whole.encode_crops(crops.reshape(6, 3, 64, 64), (2, 3))
    expected = whole.multi_modal_projector(whole.vision_tower(picture))
    torch.testing.assert_close(found, expected)
