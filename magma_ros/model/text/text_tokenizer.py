"""Prompts to ids and ids to text, for any size of Magma, with the ``tokenizers`` library alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tokenizers import Tokenizer

from magma_ros.errors import ModelError
from magma_ros.model.text.prompts import Prompt, Special


class TextTokenizer:
    """Special tokens come only from :class:`Special` parts; elsewhere their names are letters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True

    def encode(self, prompt: Prompt) -> list[int]:
        """Prompt -> ids.

        Raises:
            ModelError: the vocabulary lacks a special token of the prompt.
        """
        ids: list[int] = []
        for is_special, parts in groupby(prompt, key=lambda part: isinstance(part, Special)):
            if is_special:
                ids += [self.special_id(part.name) for part in parts if isinstance(part, Special)]
            else:
                ids += self.encode_text(''.join(part for part in parts if isinstance(part, str)))
        return ids

    def encode_text(self, text: str) -> list[int]:
        """Plain text (a question, an answer) -> ids; never a special token."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """Ids -> text, special tokens left out."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)

    def find_special(self, name: str) -> int | None:
        """Id of a special token; none if the vocabulary lacks it."""
        return self._tokenizer.token_to_id(name)

    def special_id(self, name: str) -> int:
        """Id of a special token; raises ModelError if the vocabulary lacks it."""
        found = self.find_special(name)
        if found is None:
            raise ModelError(
                f'tokenizer.json has no token {name}: use the one that came with the checkpoint'
            )
        return found

    @property
    def base_size(self) -> int:
        """How many ids the base vocabulary has, without added tokens."""
        return self._tokenizer.get_vocab_size(with_added_tokens=False)

    @property
    def size(self) -> int:
        """How many ids there are in all."""
        return self._tokenizer.get_vocab_size()


def load_tokenizer(path: Path) -> TextTokenizer:
    """Reads ``tokenizer.json``; ``tokenizer_check`` says whether it belongs to a model.

    Tokens that were added to the vocabulary are all taken as special, also those the file does
    not mark so: otherwise an instruction that spells ``<image>`` would become the token.

    Raises:
        ModelError: the file is missing or damaged.
    """
    if not path.is_file():
        raise ModelError(f'{path} does not exist: the checkpoint folder must hold tokenizer.json')
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
        for token in entries['added_tokens']:
            token['special'] = True
        return TextTokenizer(Tokenizer.from_str(json.dumps(entries)))
    except Exception as error:  # the library raises nothing narrower; odd JSON raises anything
        raise ModelError(f'{path} is damaged ({error!r}): copy it again') from error
