"""What a checkpoint folder holds and whether it would load, without loading it (torch)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from magma_ros.errors import ModelError
from magma_ros.model.network.quantisation import Precision, Quantisation
from magma_ros.model.text.text_tokenizer import load_tokenizer
from magma_ros.model.text.tokenizer_check import check_tokenizer
from magma_ros.model.weights.byte_progress import byte_progress
from magma_ros.model.weights.checksum import checksum_files
from magma_ros.model.weights.device_memory import choose_device, free_memory
from magma_ros.model.weights.json_section import read_json
from magma_ros.model.weights.memory_estimate import estimate_memory
from magma_ros.model.weights.model_folder import ModelFolder, identity_files, open_folder
from magma_ros.model.weights.random_checkpoint import NOTE_FILE
from magma_ros.model.weights.tensor_shapes import find_differences

STATISTICS_FILE = 'dataset_statistics.json'


@dataclass(frozen=True)
class FolderReport:
    """Answers about one folder; what could not be found out is none or empty."""

    directory: str
    problems: tuple[str, ...]  # each keeps it from loading or from being asked
    model: str | None = None
    layout: str | None = None
    shards: int = 0
    tensors: int = 0
    bytes_by_dtype: dict[str, int] = dataclasses.field(default_factory=dict)
    statistics_keys: tuple[str, ...] = ()  # what the folder says about its action statistics
    random_weights: bool = False
    memory_bytes: dict[str, int] = dataclasses.field(default_factory=dict)  # by number format
    device: str | None = None
    free_bytes: int = 0
    sha256: str | None = None

    @property
    def loads(self) -> bool:
        """Whether it would load, given memory."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """All of it for a machine."""
        return {'loads': self.loads, **dataclasses.asdict(self)}


def inspect_folder(
    directory: Path, with_hash: bool = False, free_bytes: int | None = None
) -> FolderReport:
    """Looks at configuration, headers, tokenizer and statistics; reads weights only to hash them.

    Args:
        directory: of a checkpoint, or of anything else.
        with_hash: also the SHA-256 that a model carries as its identity when it is run as stored.
        free_bytes: free memory of the device ``auto``; none means ask it.
    """
    try:
        folder = open_folder(directory)
    except ModelError as error:
        return FolderReport(str(directory), (str(error),))
    shapes = {name: tensor.shape for name, tensor in folder.tensors.items()}
    problems = find_differences(shapes, folder.config) + _find_text_problems(folder)
    memory = {
        name: estimate_memory(folder.config, shapes, name).total for name in get_args(Precision)
    }
    for name in get_args(Quantisation):
        memory[name] = estimate_memory(folder.config, shapes, 'bf16', name).total
    bytes_by_dtype: Counter[str] = Counter()
    for tensor in folder.tensors.values():
        bytes_by_dtype[tensor.dtype] += tensor.nbytes
    device = choose_device()
    return FolderReport(
        directory=str(directory),
        problems=tuple(problems),
        model=folder.config.name,
        layout=folder.layout,
        shards=len(folder.shards),
        tensors=len(folder.tensors),
        bytes_by_dtype=dict(bytes_by_dtype),
        statistics_keys=_statistics_keys(folder),
        random_weights=(directory / NOTE_FILE).exists(),
        memory_bytes=memory,
        device=device,
        free_bytes=free_memory(device) if free_bytes is None else free_bytes,
        sha256=_hash(directory) if with_hash else None,
    )


def _find_text_problems(folder: ModelFolder) -> list[str]:
    try:
        tokenizer = load_tokenizer(folder.directory / 'tokenizer.json')
        check_tokenizer(tokenizer, folder.config.vocabulary)
    except ModelError as error:
        return [str(error)]
    return []


def _statistics_keys(folder: ModelFolder) -> tuple[str, ...]:
    path = folder.directory / STATISTICS_FILE
    if path.is_file():
        return tuple(sorted(read_json(path)))
    return (folder.config.statistics_key,) if folder.config.statistics_key else ()


def _hash(directory: Path) -> str:
    files = identity_files(directory)
    with byte_progress('hashing', sum(path.stat().st_size for path in files)) as advance:
        return checksum_files(files, advance)
