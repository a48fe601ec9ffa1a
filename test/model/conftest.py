from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from small_model import SMALL

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


@pytest.fixture(scope='session')
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random_checkpoint = pytest.importorskip('magma_ros.model.weights.random_checkpoint')
    directory = tmp_path_factory.mktemp('small')
    random_checkpoint.write_random_checkpoint(SMALL, directory, seed=3, precision='fp32')
    return directory


@pytest.fixture(scope='session')
def trace_once() -> Callable[..., Any]:
    """``trace_graph``, which takes most of the time, with the graphs of earlier calls."""
    trace = cache(pytest.importorskip('magma_ros.model.weights.onnx_graphs').trace_graph)
    return lambda *asked: trace(*asked).clone()


@pytest.fixture(scope='session')
def export_small(
    small_checkpoint: Path,
    trace_once: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """Exports of the small model by precision: fp32 in data files, others for actions only."""
    export_onnx = pytest.importorskip('magma_ros.model.weights.export_onnx')

    @cache
    def export(precision: str) -> Path:
        directory = tmp_path_factory.mktemp('exported') / precision
        settings = export_onnx.ExportSettings(
            precision,
            logits='all' if precision == 'fp32' else 'action',
            external_from_bytes=1 if precision == 'fp32' else export_onnx.EXTERNAL_FROM_BYTES,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(export_onnx, 'trace_graph', trace_once)
            export_onnx.export_checkpoint(small_checkpoint, directory, settings)
        return directory

    return export
