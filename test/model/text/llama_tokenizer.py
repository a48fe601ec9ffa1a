"""A tokenizer with Llama-3's size, rules and special ids that knows the words of the vectors."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from magma_ros.model.network.magma_config import MAGMA_8B
from magma_ros.model.text.nano_tokenizer import WORDS
from magma_ros.model.text.tokenizer_check import special_ids

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'prompt_ids.json').read_text())
SECOND = GOLDEN['second_prompt']
SECOND_TEXT = f'\nWhat action should the robot take to {SECOND["instruction"]}?'


def build_tokenizer() -> Tokenizer:
    """Bytes and unknown words get ids the vectors do not use; the words of the vectors theirs."""
    pre_tokenizer = Sequence(
        [Split(WORDS, 'isolated'), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    vocabulary = MAGMA_8B.vocabulary
    pieces: dict[int, str] = {}
    spans = [*GOLDEN['spans'], {'ids': SECOND['question_ids'], 'text': SECOND_TEXT}]
    for span in spans:
        words = [word for word, _ in pre_tokenizer.pre_tokenize_str(span['text'])]
        pieces.update(zip(span['ids'], words, strict=True))
    letters = iter(letter for letter in ByteLevel.alphabet() if letter not in pieces.values())
    for index in range(vocabulary.base_size):
        pieces.setdefault(index, next(letters, f'unused {index}'))
    ids = {piece: index for index, piece in pieces.items()}
    tokenizer = Tokenizer(BPE(vocab=ids, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = ByteLevelDecoder()
    names = {index: name for name, index in special_ids(vocabulary).items()}
    # <image> and its kin were added by Magma's training; whether as special tokens is not known.
    tokenizer.add_tokens(
        [
            AddedToken(
                names.get(index, f'<|reserved_special_token_{index}|>'),
                special=index < vocabulary.pad,
                normalized=False,
            )
            for index in range(vocabulary.base_size, vocabulary.rows)
        ]
    )
    return tokenizer
