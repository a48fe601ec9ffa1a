"""Which tensors a checkpoint folder holds and where, from index and shard headers alone.

Only safetensors are read: the other common formats are programs that run when they are opened.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from magma_ros.errors import ModelError
from magma_ros.model.weights.json_section import read_json

Shape = tuple[int, ...]

INDEX_FILE = 'model.safetensors.index.json'
DTYPE_BYTES = {'F64': 8, 'F32': 4, 'BF16': 2, 'F16': 2}
# In some copies of the released checkpoint, and never used: Magma takes the map before them.
UNUSED_KEYS = frozenset(
    {
        'vision_tower.clip_vision_model.trunk.head.norm.weight',
        'vision_tower.clip_vision_model.trunk.head.norm.bias',
        'vision_tower.clip_vision_model.head.proj.weight',
    }
)
PICKLES = ('*.bin', '*.pt', '*.pth', '*.ckpt')
# Tools have spelled the layer scale both ways; a block has no other parameter of its own.
_LAYER_SCALE = re.compile(r'(\.blocks\.\d+)\.weight$')
_NUMBERED = re.compile(r'model-(\d+)-of-(\d+)\.safetensors')


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as a shard's header describes it."""

    shard: Path
    shape: Shape
    dtype: str  # a key of DTYPE_BYTES

    @property
    def nbytes(self) -> int:
        """Its size in the file."""
        return math.prod(self.shape) * DTYPE_BYTES[self.dtype]


def find_shards(directory: Path) -> list[Path]:
    """The safetensors files of a checkpoint, in order of name.

    Raises:
        ModelError: there are none, or not all that the index or their own numbers speak of, or
            more than that.
    """
    if not directory.is_dir():
        raise ModelError(f'{directory} is not a folder: give the folder of a checkpoint')
    found = {path.name for path in directory.glob('model*.safetensors')}
    expected = _indexed_names(directory) or _numbered_names(found) or found
    if not expected:
        raise ModelError(f'{directory} has no model*.safetensors: {_next_step(directory)}')
    if missing := sorted(expected - found):
        raise ModelError(
            f'{directory} lacks {", ".join(missing)}: download the folder again, it goes on '
            'where it stopped'
        )
    if stray := sorted(found - expected):
        raise ModelError(
            f'{directory} holds {", ".join(stray)}, which do not belong to {INDEX_FILE} or to '
            'the other shards: remove what is from another checkpoint'
        )
    return [directory / name for name in sorted(expected)]


def read_headers(directory: Path) -> dict[str, StoredTensor]:
    """Every tensor that is used, by the name the network has for it; no weights are read.

    Raises:
        ModelError: a shard is missing, damaged or cut off, or not what the index says.
    """
    shards = find_shards(directory)
    tensors: dict[str, StoredTensor] = {}
    stored: dict[str, str] = {}
    for shard in shards:
        for name, tensor in _read_header(shard):
            if name in stored:
                raise ModelError(
                    f'{name} is in {stored[name]} and in {shard.name}: remove the shards of the '
                    'other checkpoint'
                )
            stored[name] = shard.name
            if name not in UNUSED_KEYS:
                tensors[network_name(name)] = tensor
    if (directory / INDEX_FILE).is_file():
        _compare_with_index(directory / INDEX_FILE, stored)
    return tensors


def network_name(stored_name: str) -> str:
    """The network's name of a stored tensor: the layer scale is ``gamma``."""
    return _LAYER_SCALE.sub(r'\1.gamma', stored_name)


def damaged(shard: Path, error: SafetensorError) -> ModelError:
    """The error for a shard that the library refuses."""
    return ModelError(f'{shard} is damaged or cut off ({error}): copy it again')


def _read_header(shard: Path) -> Iterator[tuple[str, StoredTensor]]:
    try:
        with safe_open(shard, framework='np') as file:
            for name in file.keys():  # noqa: SIM118 - not a dictionary
                part = file.get_slice(name)
                dtype = part.get_dtype()
                if dtype not in DTYPE_BYTES:
                    raise ModelError(
                        f'{shard}: {name} is stored as {dtype}, expected one of '
                        f'{sorted(DTYPE_BYTES)}. Give the checkpoint that was not quantised; '
                        'int8 and int4 are made while loading'
                    )
                yield name, StoredTensor(shard, tuple(part.get_shape()), dtype)
    except SafetensorError as error:
        raise damaged(shard, error) from error


def _indexed_names(directory: Path) -> set[str]:
    index = directory / INDEX_FILE
    if not index.is_file():
        return set()
    names = set(_weight_map(index).values())
    if foreign := sorted(
        name for name in names if not re.fullmatch(r'[\w.-]+\.safetensors', name)
    ):
        raise ModelError(
            f'{index} names {foreign}: only safetensors beside it are read. Copy it again'
        )
    return names


def _numbered_names(found: set[str]) -> set[str]:
    """All names of the series of which some were found; empty if they are not numbered."""
    matches = [match for name in found if (match := _NUMBERED.fullmatch(name))]
    if not matches:
        return set()
    number, total = matches[0].groups()
    numbers = range(1, int(total) + 1)
    return {f'model-{n:0{len(number)}}-of-{total}.safetensors' for n in numbers}


def _weight_map(index: Path) -> dict[str, str]:
    mapping = read_json(index).get('weight_map')
    if not isinstance(mapping, dict) or not all(isinstance(v, str) for v in mapping.values()):
        raise ModelError(f'{index} has no weight_map of names to files: copy it again')
    return mapping


def _compare_with_index(index: Path, stored: dict[str, str]) -> None:
    mapping = _weight_map(index)
    wrong = sorted(
        name for name in mapping.keys() | stored if mapping.get(name) != stored.get(name)
    )
    if wrong:
        said, is_in = (places.get(wrong[0], 'no shard') for places in (mapping, stored))
        raise ModelError(
            f'{index} and the shards disagree about {len(wrong)} tensors: {wrong[0]} should be '
            f'in {said} and is in {is_in}. Copy index and shards from the same checkpoint'
        )


def _next_step(directory: Path) -> str:
    pickles = sorted(path.name for pattern in PICKLES for path in directory.glob(pattern))
    if not pickles:
        return 'give the folder of a checkpoint'
    return (
        f'{pickles[0]} is a pickle, a program that runs when it is opened, and is refused. Take '
        'the safetensors of the same checkpoint, or convert it where a program of its maker may '
        'run, with the functions load of torch and save_file of safetensors.torch'
    )
