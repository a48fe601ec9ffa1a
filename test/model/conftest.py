from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from magma_ros.model.text.nano_tokenizer import build_corpus, train_tokenizer
from magma_ros.model.text.text_tokenizer import TextTokenizer, load_tokenizer


@pytest.fixture(scope='session')
def sentences() -> list[str]:
    verbs = ('pick up', 'grab', 'push', 'reach for', 'put')
    colours = ('red', 'green', 'blue')
    things = ('cube', 'bowl', 'plate')
    return [
        f'{verb} the {colour} {thing}' for verb, colour, thing in product(verbs, colours, things)
    ]


@pytest.fixture(scope='session')
def tokenizer_json(sentences: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('tokenizer') / 'tokenizer.json'
    train_tokenizer(build_corpus(sentences)).save(str(path))
    return path


@pytest.fixture(scope='session')
def tokenizer(tokenizer_json: Path) -> TextTokenizer:
    return load_tokenizer(tokenizer_json)
