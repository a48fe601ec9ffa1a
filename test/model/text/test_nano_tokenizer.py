from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ModelError
from magma_ros.model.action_tokens import action_ids
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.text import prompts
from magma_ros.model.text.nano_tokenizer import SPECIAL_TOKENS, build_corpus, train_tokenizer
from magma_ros.model.text.prompts import Special
from magma_ros.model.text.text_tokenizer import TextTokenizer, load_tokenizer

STATE = 'State: [120,80,33,128,128,128,255]\n'
FAST = settings(deadline=None, max_examples=60)


def test_the_same_corpus_gives_the_same_file(sentences: list[str]) -> None:
    first = train_tokenizer(build_corpus(sentences)).to_str()
    assert train_tokenizer(build_corpus(sentences)).to_str() == first


def test_special_ids_are_those_of_the_configuration(tokenizer: TextTokenizer) -> None:
    ids = MAGMA_NANO.vocabulary
    expected = (
        ids.begin_of_text,
        ids.start_header,
        ids.end_header,
        ids.end_of_turn,
        ids.pad,
        ids.image,
        ids.action,
        ids.image_start,
        ids.image_end,
    )
    assert tuple(tokenizer.special_id(name) for name in SPECIAL_TOKENS) == expected
    assert ids.rows == expected[-1] + 1


def test_every_level_is_one_token(tokenizer: TextTokenizer) -> None:
    lists = tokenizer.encode_text('[' + ','.join(map(str, range(256))) + ']')
    assert len(lists) == 256 + 255 + 2
    for number in range(256):
        (token,) = tokenizer.encode_text(str(number))
        assert token in lists
        assert tokenizer.decode([token]) == str(number)


def test_words_of_the_corpus_are_one_token(tokenizer: TextTokenizer) -> None:
    for word in (' red', ' cube', ' pick', ' robot', ' Gripper', '],[', 'assistant'):
        assert len(tokenizer.encode_text(word)) == 1, word


def test_numbers_and_words_do_not_mix(tokenizer: TextTokenizer) -> None:
    ids = tokenizer.encode(prompts.action_prompt('pick up the red cube', STATE))
    assert len(ids) == 61
    assert ids[:2] == [MAGMA_NANO.vocabulary.begin_of_text] * 2
    assert ids.count(MAGMA_NANO.vocabulary.image) == 1


def test_state_line_ends_on_a_token_boundary(tokenizer: TextTokenizer) -> None:
    """Prompts that share picture and state in training must tokenise like whole prompts."""
    shared = tokenizer.encode_text('\n' + STATE)
    for question in ('What action should', 'The image is split'):
        whole = tokenizer.encode_text('\n' + STATE + question)
        assert whole[: len(shared)] == shared


@pytest.mark.parametrize('name', SPECIAL_TOKENS)
def test_special_names_in_text_are_letters(tokenizer: TextTokenizer, name: str) -> None:
    ids = tokenizer.encode(prompts.action_prompt(f'pick up {name} now'))
    plain = tokenizer.encode(prompts.action_prompt('pick up now'))
    special = range(MAGMA_NANO.vocabulary.base_size, MAGMA_NANO.vocabulary.rows)
    assert [i for i in ids if i in special] == [i for i in plain if i in special]
    assert name in tokenizer.decode(ids)


@FAST
@given(st.text(max_size=60))
def test_text_round_trip_and_no_actions(tokenizer: TextTokenizer, text: str) -> None:
    ids = tokenizer.encode_text(text)
    assert tokenizer.decode(ids) == text
    assert not set(ids) & set(action_ids(MAGMA_NANO.vocabulary.base_size).tolist())
    assert all(token < MAGMA_NANO.vocabulary.base_size for token in ids)


def test_names_of_actions_are_out_of_reach(tokenizer: TextTokenizer) -> None:
    assert max(tokenizer.encode_text('action 0 action 255 unused 1')) < 768


def test_unknown_special_is_refused(tokenizer: TextTokenizer) -> None:
    with pytest.raises(ModelError, match='<trace_start>'):
        tokenizer.encode((Special('<trace_start>'),))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='tokenizer.json'):
        load_tokenizer(tmp_path / 'tokenizer.json')
