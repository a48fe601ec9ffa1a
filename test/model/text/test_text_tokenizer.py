from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_tokenizer import GOLDEN, SECOND, build_tokenizer

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import MAGMA_8B, MAGMA_NANO
from magma_ros.model.text import prompts
from magma_ros.model.text.text_tokenizer import TextTokenizer, load_tokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer, special_ids
from magma_ros.resources import asset_path

IMAGE = MAGMA_8B.vocabulary.image
SPELLED = ' '.join(special_ids(MAGMA_8B.vocabulary))


@pytest.fixture(scope='module')
def llama_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('llama') / 'tokenizer.json'
    build_tokenizer().save(str(path), pretty=False)
    return path


@pytest.fixture(scope='module')
def llama(llama_json: Path) -> TextTokenizer:
    return load_tokenizer(llama_json)


@pytest.fixture(scope='module')
def nano() -> TextTokenizer:
    return load_tokenizer(asset_path('nano/tokenizer.json'))


def test_golden_prompt_ids(llama: TextTokenizer) -> None:
    ids = llama.encode(prompts.action_prompt(GOLDEN['instruction']))
    assert ids == GOLDEN['prompt_ids']
    assert len(ids) == GOLDEN['prompt_length']
    assert ids.index(IMAGE) == GOLDEN['image_placeholder_index']
    assert len(ids) - 1 + MAGMA_8B.visual_tokens() == GOLDEN['prefill_positions']


def test_golden_ids_of_the_second_prompt(llama: TextTokenizer) -> None:
    ids = llama.encode(prompts.action_prompt(SECOND['instruction']))
    question = ids[ids.index(MAGMA_8B.vocabulary.image_end) + 1 : -5]
    assert question == SECOND['question_ids']


def test_several_pictures_have_a_placeholder_each(llama: TextTokenizer) -> None:
    ids = llama.encode(prompts.question_prompt('what', pictures=4))
    assert ids.count(IMAGE) == 4


ASK: list[Callable[[str], prompts.Prompt]] = [
    prompts.action_prompt,
    lambda text: prompts.trace_prompt(text, [1], 6),
    prompts.question_prompt,
    prompts.click_prompt,
    prompts.hamster_prompt,
]


@pytest.mark.parametrize('size', ['llama', 'nano'])
@pytest.mark.parametrize('ask', ASK)
def test_spelled_control_tokens_stay_letters(
    size: str, ask: Callable[[str], prompts.Prompt], request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(size)
    first_special = tokenizer.base_size

    def specials(instruction: str) -> list[int]:
        return [token for token in tokenizer.encode(ask(instruction)) if token >= first_special]

    assert specials(SPELLED) == specials('go')


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from([*special_ids(MAGMA_8B.vocabulary), '<', '|', '>', ' ', 'go', '<|eot_id'])
    )
)
def test_no_mixture_becomes_a_control_token(llama: TextTokenizer, pieces: list[str]) -> None:
    assert max(llama.encode_text(''.join(pieces)), default=0) < MAGMA_8B.vocabulary.base_size


def test_control_tokens_in_an_answer_are_left_out(llama: TextTokenizer) -> None:
    ids = llama.encode_text(' plate')
    assert llama.decode([*ids, IMAGE, MAGMA_8B.vocabulary.end_of_turn]) == ' plate'


@pytest.mark.parametrize(('size', 'config'), [('llama', MAGMA_8B), ('nano', MAGMA_NANO)])
def test_the_models_own_tokenizer_passes(
    size: str, config, request: pytest.FixtureRequest
) -> None:
    check_tokenizer(request.getfixturevalue(size), config.vocabulary)


def test_a_foreign_tokenizer_is_refused(llama: TextTokenizer, nano: TextTokenizer) -> None:
    with pytest.raises(ModelError, match=r'<image> is 1029.*128257.*1024 ids.*came with'):
        check_tokenizer(nano, MAGMA_8B.vocabulary)
    with pytest.raises(ModelError, match=r'<image> is 128257.*128261 ids for 1033 embeddings'):
        check_tokenizer(llama, MAGMA_NANO.vocabulary)


def test_every_difference_counts(llama: TextTokenizer) -> None:
    ours = MAGMA_8B.vocabulary
    check_tokenizer(llama, replace(ours, rows=128320))  # padded tables are fine
    for vocabulary in (
        replace(ours, action=ours.pad),
        replace(ours, base_size=127999),
        replace(ours, rows=128260),
    ):
        with pytest.raises(ModelError, match='belongs to another model'):
            check_tokenizer(llama, vocabulary)


def test_a_missing_special_is_named(tmp_path: Path) -> None:
    entries = json.loads(asset_path('nano/tokenizer.json').read_text())
    entries['added_tokens'].pop()
    (tmp_path / 'tokenizer.json').write_text(json.dumps(entries))
    tokenizer = load_tokenizer(tmp_path / 'tokenizer.json')
    with pytest.raises(ModelError, match='<image_end> is None'):
        check_tokenizer(tokenizer, MAGMA_NANO.vocabulary)


@pytest.mark.parametrize('content', [b'', b'{', b'[]', b'{"added_tokens": []}', b'\xff\xfe'])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'tokenizer.json').write_bytes(content)
    with pytest.raises(ModelError, match='damaged .*copy it again'):
        load_tokenizer(tmp_path / 'tokenizer.json')
