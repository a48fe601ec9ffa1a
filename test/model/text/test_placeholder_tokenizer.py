from __future__ import annotations

import json
from pathlib import Path

import pytest

from magma_ros.model.network.magma_config import MAGMA_NANO, PUBLISHED_VOCABULARY
from magma_ros.model.text.placeholder_tokenizer import build_placeholder_tokenizer
from magma_ros.model.text.prompts import action_prompt
from magma_ros.model.text.text_tokenizer import TextTokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'prompt_ids.json').read_text())


@pytest.fixture(scope='module')
def tokenizer() -> TextTokenizer:
    return TextTokenizer(build_placeholder_tokenizer(PUBLISHED_VOCABULARY))


def test_a_known_prompt_has_the_length_and_the_special_ids_of_the_real_one(
    tokenizer: TextTokenizer,
) -> None:
    real = GOLDEN['prompt_ids']
    ids = tokenizer.encode(action_prompt('pick coke can'))
    assert len(ids) == len(real) == 42
    for mine, theirs in zip(ids, real, strict=True):
        assert mine == theirs or max(mine, theirs) < PUBLISHED_VOCABULARY.base_size - 256


def test_numbers_are_one_token_and_any_text_comes_back(tokenizer: TextTokenizer) -> None:
    assert all(len(tokenizer.encode_text(str(number))) == 1 for number in range(1000))
    for text in ('put the red cube in the bowl', 'déjà vu 機械 <image>', 'action 3'):
        assert tokenizer.decode(tokenizer.encode_text(text)) == text
        assert max(tokenizer.encode_text(text)) < PUBLISHED_VOCABULARY.base_size - 256


@pytest.mark.parametrize('vocabulary', [PUBLISHED_VOCABULARY, MAGMA_NANO.vocabulary])
def test_it_belongs_to_the_model_it_was_made_for(vocabulary: object) -> None:
    made = TextTokenizer(build_placeholder_tokenizer(vocabulary))  # type: ignore[arg-type]
    check_tokenizer(made, vocabulary)  # type: ignore[arg-type]
