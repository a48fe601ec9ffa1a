from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magma_ros.errors import ModelError
from magma_ros.model.action_tokens import action_ids, decode_action, encode_action

GOLDEN = json.loads((Path(__file__).parents[1] / 'golden' / 'action_tokens.json').read_text())
SIZE = GOLDEN['vocab_size']


@pytest.mark.parametrize(('value', 'token'), GOLDEN['encode'])
def test_encode(value: float, token: int) -> None:
    assert encode_action(value, SIZE) == token


@pytest.mark.parametrize(('token', 'value'), GOLDEN['decode'])
def test_decode(token: int, value: float) -> None:
    assert decode_action([token], SIZE)[0] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(('token', 'again'), GOLDEN['decode_then_encode'])
def test_decode_then_encode(token: int, again: int) -> None:
    assert encode_action(decode_action([token], SIZE), SIZE)[0] == again


@pytest.mark.parametrize('token', GOLDEN['must_be_rejected_ids'])
def test_words_are_not_actions(token: int) -> None:
    with pytest.raises(ModelError, match='127744..127999'):
        decode_action([127872, token], SIZE)


def test_nano_range() -> None:
    ids = action_ids(1024)
    assert (ids[0], ids[-1], len(ids)) == (768, 1023, 256)
    assert decode_action([768, 896, 1023], 1024) == pytest.approx(
        [0.99608, 0.0, -0.99608], abs=1e-5
    )


@settings(deadline=None, max_examples=100)
@given(st.floats(-1.0, 1.0))
def test_round_trip_is_within_half_a_bin(value: float) -> None:
    again = decode_action(encode_action([value], 1024), 1024)[0]
    assert abs(again - value) <= GOLDEN['bin_width'] / 2 + 1e-12


def test_values_fall_with_rising_ids() -> None:
    assert np.all(np.diff(decode_action(action_ids(1024), 1024)) <= 0)


@pytest.mark.parametrize('value', [np.inf, -np.inf, 1e300])
def test_huge_values_are_limited(value: float) -> None:
    assert encode_action(value, SIZE) == (127744 if value > 0 else 127999)


def test_what_is_no_number_is_no_motion() -> None:
    with pytest.raises(ValueError, match='must be numbers'):
        encode_action([0.0, np.nan], SIZE)
