"""Builds magma-nano's tokenizer: Llama-3's rules, 1024 ids and nine special tokens.

The base vocabulary is, in order: 256 bytes, learned pair merges, the numbers 10..255 (so that
every 0..255 is one token, as in Llama-3), the most frequent words of the corpus, and 256 names for
actions that no text can produce.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, PreTokenizer, Sequence, Split
from tokenizers.trainers import BpeTrainer

from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.network.magma_config import MAGMA_NANO
from magma_ros.model.text.prompts import (
    Special,
    action_prompt,
    hamster_prompt,
    marks_prompt,
    question_prompt,
    trace_prompt,
)

SPECIAL_TOKENS = (
    '<|begin_of_text|>',
    '<|start_header_id|>',
    '<|end_header_id|>',
    '<|eot_id|>',
    '<pad>',
    '<image>',
    '<action>',
    '<image_start>',
    '<image_end>',
)
LEARNED_MERGES = 40

# Llama-3's words: letters with at most one sign before, up to three digits, signs, blanks.
WORDS = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r'| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+'
)


def train_tokenizer(corpus: Iterable[str]) -> Tokenizer:
    """Tokenizer from a corpus of plain texts; the same corpus gives the same file."""
    pre_tokenizer = _pre_tokenizer()
    counts = Counter(
        word
        for text in corpus
        for word, _ in pre_tokenizer.pre_tokenize_str(text)
        if not word.isdigit()
    )
    merges = _learn_merges(counts)
    pieces = sorted(ByteLevel.alphabet())
    pieces += [''.join(pair) for pair in merges]
    pieces += [str(number) for number in range(10, 256)]
    by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
    text_ids = MAGMA_NANO.vocabulary.base_size - ACTION_BINS
    words = (word for word in by_frequency if word not in set(pieces))
    pieces += itertools.islice(words, text_ids - len(pieces))
    # Text can never contain a blank inside a word, so these names are out of its reach.
    pieces += [f'unused {index}' for index in range(text_ids - len(pieces))]
    pieces += [f'action {index}' for index in range(ACTION_BINS)]

    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in SPECIAL_TOKENS]
    )
    return tokenizer


def build_corpus(instructions: Iterable[str]) -> list[str]:
    """All that magma-nano reads and writes about the instructions, as plain texts."""
    state = 'State: [0,0,0,0,0,0,0]\n'
    answer = (
        'Mark 1 at [0,0] should be moved, and their future positions are:\n\n'
        '"Mark 1": "[[0,0],[0,0],<action>Close Gripper</action>,[0,0],'
        '<action>Open Gripper</action>,[0,0]]"\n\n'
    )
    prompts = [
        marks_prompt(),
        question_prompt('What is the robot doing in the image?'),
        hamster_prompt('push'),
    ]
    texts = [
        answer,
        answer.replace(',[0,0]]', ']').replace('[[0,0],', '[['),
        'Mark 1 at [0,0]. Mark 2 at [0,0]',
    ]
    for instruction in instructions:
        prompts += [
            action_prompt(instruction, state),
            trace_prompt(instruction, [1], 6, state_line=state),
        ]
        texts += [answer, instruction]
    return texts + [part for prompt in prompts for part in prompt if not isinstance(part, Special)]


def _pre_tokenizer() -> PreTokenizer:
    byte_level = ByteLevel(add_prefix_space=False, use_regex=False)
    return Sequence([Split(WORDS, 'isolated'), byte_level])


def _learn_merges(counts: Counter[str]) -> list[tuple[str, str]]:
    """The most useful pairs inside words, so that unknown words are not spelled byte by byte."""
    alphabet = sorted(ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE())
    trainer = BpeTrainer(
        vocab_size=len(alphabet) + LEARNED_MERGES, initial_alphabet=alphabet, show_progress=False
    )
    letters = (word for word in sorted(counts) if word.lstrip('Ġ').isalpha())
    tokenizer.train_from_iterator(letters, trainer)
    return [(left, right) for left, right in json.loads(tokenizer.to_str())['model']['merges']]
