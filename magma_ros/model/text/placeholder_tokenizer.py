"""A tokenizer for random weights: the ids of the real one, but only the words of our prompts.

The real vocabulary is not ours to ship. This one has the same size, the same special ids and the
same rule for numbers and actions. A prompt of known words is as long as in the real one, so that
speed and memory are right; unknown words are spelled in bytes.
"""

from __future__ import annotations

from itertools import islice

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from magma_ros.model.action_tokens import ACTION_BINS
from magma_ros.model.network.magma_config import VocabularyConfig
from magma_ros.model.text.nano_tokenizer import WORDS, build_corpus
from magma_ros.model.text.tokenizer_check import special_ids

KNOWN_INSTRUCTIONS = ('pick coke can', 'put the red cube in the bowl', 'close the drawer')


def build_placeholder_tokenizer(vocabulary: VocabularyConfig) -> Tokenizer:
    """Tokenizer whose base vocabulary is, in order: bytes, numbers, words, fillers, actions."""
    byte_level = ByteLevel(add_prefix_space=False, use_regex=False)
    pre_tokenizer = Sequence([Split(WORDS, 'isolated'), byte_level])
    words = (
        word
        for text in build_corpus(KNOWN_INSTRUCTIONS)
        for word, _ in pre_tokenizer.pre_tokenize_str(text)
    )
    numbers = [str(number) for number in range(10, 1000)]
    # 256 and more come last, since a small vocabulary has no room for them.
    known = dict.fromkeys([*sorted(ByteLevel.alphabet()), *numbers[:246], *words, *numbers[246:]])
    text_ids = vocabulary.base_size - ACTION_BINS
    pieces = list(islice(known, text_ids))
    # Text can never contain a blank inside a word, so these names are out of its reach.
    pieces += [f'unused {index}' for index in range(text_ids - len(pieces))]
    pieces += [f'action {index}' for index in range(ACTION_BINS)]

    ids = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(BPE(vocab=ids, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = ByteLevelDecoder()
    names = {index: name for name, index in special_ids(vocabulary).items()}
    tokenizer.add_special_tokens(
        [
            AddedToken(names.get(index, f'<|reserved {index}|>'), special=True, normalized=False)
            for index in range(vocabulary.base_size, max(names) + 1)
        ]
    )
    return tokenizer
