"""Prompts to ids and ids to text, for any size of Magma, with the ``tokenizers`` library alone."""

from __future__ import annotations

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

    def special_id(self, name: str) -> int:
        """Id of a special token; raises ModelError if the vocabulary lacks it."""
        found = self._tokenizer.token_to_id(name)
        if found is None:
            raise ModelError(
                f'tokenizer.json has no token {name}: use the one that came with the checkpoint'
            )
        return found


def load_tokenizer(path: Path) -> TextTokenizer:
    """Reads ``tokenizer.json``; raises ModelError if it is missing."""
    if not path.is_file():
        raise ModelError(f'{path} does not exist: the checkpoint folder must hold tokenizer.json')
    return TextTokenizer(Tokenizer.from_file(str(path)))
