from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.model.backends.torch_model import choose_action_ids  # noqa: E402
from magma_ros.model.network.embedding_init import initialise_embeddings  # noqa: E402
from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, PreprocessorConfig  # noqa: E402
from magma_ros.model.network.prefix_sharing import share_prefix  # noqa: E402
from magma_ros.model.network.projector import cell_features  # noqa: E402
from magma_ros.model.text.text_tokenizer import TextTokenizer  # noqa: E402
from magma_ros.model.weights.tensor_shapes import expected_shapes  # noqa: E402

pytestmark = pytest.mark.torch
GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'checkpoint.json').read_text())


@pytest.fixture(scope='module')
def model() -> MagmaForAction:
    torch.manual_seed(0)
    return MagmaForAction(MAGMA_NANO).eval()


def test_8b_has_the_released_tensors() -> None:
    shapes = expected_shapes(MAGMA_8B)
    parts = {
        'language_model': 'llm',
        'multi_modal_projector': 'projector',
        'vision_tower': 'vision',
    }
    for prefix, name in parts.items():
        count = sum(key.startswith(prefix + '.') for key in shapes)
        assert count == GOLDEN['tensors'][name]
    assert len(shapes) == GOLDEN['tensors']['needed']
    total = sum(int(np.prod(shape)) for shape in shapes.values())
    assert total == GOLDEN['parameters']['total']
    trunk = 'vision_tower.clip_vision_model.trunk'
    assert shapes[f'{trunk}.stem.0.weight'] == (384, 3, 4, 4)
    assert shapes[f'{trunk}.stages.2.downsample.1.weight'] == (1536, 768, 2, 2)
    assert shapes[f'{trunk}.stages.2.blocks.29.gamma'] == (1536,)
    assert shapes[f'{trunk}.stages.3.blocks.0.conv_dw.weight'] == (3072, 1, 7, 7)
    assert shapes['multi_modal_projector.proj.2.weight'] == (4096, 4096)
    assert shapes['multi_modal_projector.row_seperator'] == (1, 1, 4096)
    assert shapes['language_model.model.layers.31.self_attn.k_proj.weight'] == (1024, 4096)
    assert shapes['language_model.lm_head.weight'] == (128261, 4096)


def test_nano_is_small(model: MagmaForAction) -> None:
    assert sum(p.numel() for p in model.parameters()) < 2_500_000


def test_rows_end_in_the_separator(model: MagmaForAction) -> None:
    with torch.no_grad():
        tokens = model.encode_image(torch.randn(2, 3, 256, 256)).reshape(2, 8, 9, -1)
    separator = model.multi_modal_projector.row_seperator.detach()
    assert torch.equal(tokens[:, :, 8], separator.expand(2, 8, -1))
    assert not torch.equal(tokens[:, 0, 0], tokens[:, 1, 0])


def test_position_features_tell_cells_apart() -> None:
    features = cell_features(8, 8).reshape(64, -1)
    distance = torch.cdist(features, features) + torch.eye(64)
    assert features.shape == (64, 16)
    assert distance.min() > 0.1


def test_crops_are_put_together_before_the_rows_end() -> None:
    config = replace(MAGMA_NANO, preprocessor=PreprocessorConfig(base_img_size=64, num_crops=4))
    config = replace(config, projector=replace(config.projector, position_features=False))
    model = MagmaForAction(config).eval()
    crops = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        wide = model.encode_crops(crops, (1, 2)).reshape(2, 5, -1)
        single = model.encode_image(crops).reshape(2, 2, 3, -1)
    assert wide.shape[0] * wide.shape[1] == config.visual_tokens((1, 2))
    expected = torch.cat([single[0, :, :2], single[1]], dim=1)
    torch.testing.assert_close(wide, expected)


def test_sharing_a_prefix_equals_separate_passes(model: MagmaForAction) -> None:
    prefix = torch.randn(2, 20, 128)
    branches = [torch.randn(2, length, 128) for length in (5, 9, 1)]
    mask, positions = share_prefix(20, [5, 9, 1])
    with torch.no_grad():
        together = model(torch.cat([prefix, *branches], dim=1), mask, positions)
        start = 20
        for branch in branches:
            alone = model(torch.cat([prefix, branch], dim=1))
            torch.testing.assert_close(together[:, :20], alone[:, :20], atol=2e-5, rtol=1e-4)
            found = together[:, start : start + branch.shape[1]]
            torch.testing.assert_close(found, alone[:, 20:], atol=2e-5, rtol=1e-4)
            start += branch.shape[1]


def test_action_logits_are_the_slice(model: MagmaForAction) -> None:
    hidden = torch.randn(2, 3, 128)
    with torch.no_grad():
        whole = model.language_model.lm_head(hidden)
        torch.testing.assert_close(model.action_logits(hidden), whole[..., 768:1024])


def test_cache_equals_one_pass(model: MagmaForAction) -> None:
    prompt = torch.randn(1, 30, 128)
    ids = model.generate(prompt, 7, choose_action_ids(1024, 'greedy'), head=model.action_logits)
    assert ids.shape == (1, 7)
    assert int(ids.min()) >= 768
    assert int(ids.max()) <= 1023
    with torch.no_grad():
        logits = model(torch.cat([prompt, model.embed(ids)], dim=1))[:, 29:36, 768:1024]
    assert torch.equal(logits.argmax(dim=-1) + 768, ids)


def test_left_padding_changes_nothing(model: MagmaForAction) -> None:
    choose = choose_action_ids(1024, 'greedy')
    short, long = torch.randn(1, 12, 128), torch.randn(1, 20, 128)
    batch = torch.cat([torch.cat([torch.zeros(1, 8, 128), short], dim=1), long])
    mask = torch.ones(2, 20)
    mask[0, :8] = 0
    head = model.action_logits
    ids = model.generate(batch, 7, choose, attention_mask=mask, head=head)
    assert torch.equal(ids[:1], model.generate(short, 7, choose, head=head))
    assert torch.equal(ids[1:], model.generate(long, 7, choose, head=head))


def test_a_finished_row_waits_for_the_others(model: MagmaForAction) -> None:
    answers = iter([[7, 1], [8, 7], [9, 9]])
    ids = model.generate(
        torch.randn(2, 4, 128), 5, lambda logits: torch.tensor(next(answers)), stop_id=7
    )
    assert ids.tolist() == [[7, 7], [1, 7]]


def test_every_parameter_learns() -> None:
    model = MagmaForAction(MAGMA_NANO)
    visual = model.encode_image(torch.randn(1, 3, 256, 256))
    ids = torch.tensor([1, MAGMA_NANO.vocabulary.image, 2])
    embeddings, _ = model.merge([ids], [visual])
    model(embeddings).square().mean().backward()
    dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


def test_embeddings_of_numbers_and_actions_are_smooth(tokenizer: TextTokenizer) -> None:
    model = MagmaForAction(MAGMA_NANO)
    initialise_embeddings(model, tokenizer, seed=3)
    table = model.language_model.model.embed_tokens.weight.detach()
    head = model.language_model.lm_head.weight.detach()
    numbers = table[[tokenizer.encode_text(str(number))[0] for number in range(256)]]
    for rows in (numbers, table[768:1024], head[768:1024]):
        near = (rows[1:] - rows[:-1]).norm(dim=1).mean()
        far = (rows[128:] - rows[:128]).norm(dim=1).mean()
        assert near < 0.3 * far
    assert table[tokenizer.encode_text(' cube')[0]].std() == pytest.approx(0.7, abs=0.15)
    again = MagmaForAction(MAGMA_NANO)
    initialise_embeddings(again, tokenizer, seed=3)
    assert torch.equal(again.language_model.lm_head.weight.detach(), head)
