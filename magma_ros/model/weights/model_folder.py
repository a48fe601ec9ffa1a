"""A checkpoint folder, opened: its configuration and what is stored, without reading weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from magma_ros.errors import ModelError
from magma_ros.model.network.magma_config import MagmaConfig, read_config
from magma_ros.model.network.quantisation import Precision
from magma_ros.model.weights.json_section import read_json
from magma_ros.model.weights.published_config import (
    PREPROCESSOR_FILE,
    is_transformers_style,
    parse_published_config,
)
from magma_ros.model.weights.stored_tensors import StoredTensor, find_shards, read_headers

Layout = Literal['published', 'magma_ros']

CONFIG_FILE = 'config.json'
TOKENIZER_FILE = 'tokenizer.json'
PRECISION_OF_DTYPE: dict[str, Precision] = {
    'F64': 'fp32',
    'F32': 'fp32',
    'BF16': 'bf16',
    'F16': 'fp16',
}


@dataclass(frozen=True)
class ModelFolder:
    """What a folder holds. ``tensors`` is by the network's names."""

    directory: Path
    config: MagmaConfig
    layout: Layout
    shards: tuple[Path, ...]
    tensors: Mapping[str, StoredTensor]

    @property
    def precision(self) -> Precision:
        """The precision most of it is stored in; float64 counts as fp32."""
        sizes: Counter[Precision] = Counter()
        for tensor in self.tensors.values():
            sizes[PRECISION_OF_DTYPE[tensor.dtype]] += tensor.nbytes
        return sizes.most_common(1)[0][0]


def open_folder(directory: Path) -> ModelFolder:
    """Reads configuration, index and shard headers.

    Raises:
        ModelError: the folder is not a complete checkpoint, or not one of Magma.
    """
    shards = find_shards(directory)
    config, layout = read_model_config(directory)
    return ModelFolder(directory, config, layout, tuple(shards), read_headers(directory))


def read_model_config(directory: Path) -> tuple[MagmaConfig, Layout]:
    """The configuration of a folder in the released layout or in ours; raises ModelError."""
    path = directory / CONFIG_FILE
    entries = read_json(path)
    if not is_transformers_style(entries):
        return read_config(path), 'magma_ros'
    preprocessor = read_json(directory / PREPROCESSOR_FILE)
    return parse_published_config(entries, preprocessor, str(directory)), 'published'


def identity_files(directory: Path) -> list[Path]:
    """The files that decide a model's answers, in the order in which they are hashed."""
    names = (CONFIG_FILE, PREPROCESSOR_FILE, TOKENIZER_FILE)
    configuration = [path for name in names if (path := directory / name).is_file()]
    if not (directory / CONFIG_FILE).is_file():
        raise ModelError(f'{directory / CONFIG_FILE} does not exist: give a checkpoint folder')
    return [*configuration, *find_shards(directory)]
