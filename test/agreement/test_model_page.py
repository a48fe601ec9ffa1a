"""The shapes in docs/model.md are those the code has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from magma_ros.image.image_preparation import prepare_image, resize_for_robot  # noqa: E402
from magma_ros.model.network.magma import MagmaForAction  # noqa: E402
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO, MagmaConfig  # noqa: E402
from magma_ros.model.text.prompts import action_prompt  # noqa: E402
from magma_ros.model.text.text_tokenizer import load_tokenizer  # noqa: E402
from magma_ros.resources import asset_path  # noqa: E402

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'model.md').read_text(encoding='utf-8')
STATE = 'State: [120,80,33,128,128,128,255]\n'


def count_prompt_ids(config: MagmaConfig) -> int:
    """Of the prompt that the page names for this size."""
    if config is MAGMA_8B:
        golden = json.loads((ROOT / 'test' / 'golden' / 'prompt_ids.json').read_text())
        return golden['prompt_length']
    tokenizer = load_tokenizer(asset_path('nano/tokenizer.json'))
    return len(tokenizer.encode(action_prompt('pick up the red cube', STATE)))


def shapes_on_the_page(column: int) -> list[tuple[int, ...]]:
    table = PAGE.split('<!-- shapes -->')[1].split('<!-- /shapes -->')[0]
    rows = [line.split('|')[1:-1] for line in table.strip().splitlines()[2:]]
    return [tuple(int(size) for size in row[column].split()) for row in rows]


@torch.no_grad()
def shapes_of_the_code(config: MagmaConfig) -> list[tuple[int, ...]]:
    """Of each step, without memory for weights: everything behind the picture is on meta."""
    picture = np.zeros((480, 640, 3), np.uint8)
    found = [picture.shape, resize_for_robot(picture).shape]
    crops = prepare_image(picture, config.preprocessor)
    found.append(crops.shape)
    count = count_prompt_ids(config)
    with torch.device('meta'):
        model = MagmaForAction(config)

        def note(_module, _inputs, output) -> None:
            found.append(tuple(output.shape))

        trunk = model.vision_tower.clip_vision_model.trunk
        for module in (trunk.stem, *trunk.stages, model.vision_tower):
            module.register_forward_hook(note)
        model.multi_modal_projector.proj[1].register_forward_hook(note)
        visual = model.encode_crops(torch.empty(crops.shape), (1, 1))
        found += [tuple(visual.shape), (count,)]
        words = model.embed(torch.zeros(1, count - 1, dtype=torch.long))
        embeddings = torch.cat([words, visual], dim=1)
        length = embeddings.shape[1]
        # Given, since transformers would look into its values to make one.
        visible = torch.ones(1, 1, length, length, dtype=torch.bool)
        hidden = model.hidden_states(embeddings, visible, torch.arange(length)[None])
        found += [tuple(embeddings.shape), tuple(hidden.shape)]
        found += [tuple(model.action_logits(hidden[0, -1]).shape), (7,)]
    return found


@pytest.mark.parametrize(('config', 'column'), [(MAGMA_NANO, 2), (MAGMA_8B, 3)])
def test_shapes_on_the_page_are_those_of_the_code(config: MagmaConfig, column: int) -> None:
    assert shapes_on_the_page(column) == shapes_of_the_code(config)
