"""Plain Parquet with the pictures inside, as the ``datasets`` package of Hugging Face reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from magma_ros.dataset.export.dataset_files import Dataset
from magma_ros.dataset.export.staged_episode import StagedEpisode

NUMBERS = ('state', 'action', 'joints')
TIMES = ('time_ns', 'stamp_ns', 'age_ns')
TEXTS = ('instruction', 'source')
PICTURE = pa.struct([('bytes', pa.binary()), ('path', pa.string())])


def write(dataset: Dataset, folder: Path) -> None:
    """Write the dataset into an empty folder: a file for each split, a row group an episode."""
    (folder / 'data').mkdir()
    for split, episodes in (('train', dataset.train), ('validation', dataset.validation)):
        if episodes:
            _write_split(dataset, episodes, folder / 'data' / f'{split}-00000-of-00001.parquet')
    dataset.write_statistics(folder)


def _write_split(dataset: Dataset, episodes: Sequence[StagedEpisode], path: Path) -> None:
    schema = _schema(dataset)
    with pq.ParquetWriter(path, schema, compression='snappy') as writer:
        for episode in episodes:
            writer.write_table(_table(dataset, episode, schema))


def _table(dataset: Dataset, episode: StagedEpisode, schema: pa.Schema) -> pa.Table:
    steps = episode.steps()
    columns: dict[str, Any] = {
        'episode': [episode.name] * episode.length,
        'step': [*range(episode.length)],
        **{name: steps[name].tolist() for name in (*NUMBERS, *TIMES, *TEXTS)},
    }
    for camera in dataset.cameras:
        paths = [episode.frame(camera, index) for index in range(episode.length)]
        columns[camera] = [{'bytes': path.read_bytes(), 'path': path.name} for path in paths]
    return pa.Table.from_pydict(columns, schema=schema)


def _schema(dataset: Dataset) -> pa.Schema:
    fields: dict[str, pa.DataType] = {
        'episode': pa.string(),
        'step': pa.int64(),
        **{name: pa.list_(pa.float64()) for name in NUMBERS},
        **{name: pa.int64() for name in TIMES},
        **{name: pa.string() for name in TEXTS},
        **{camera: PICTURE for camera in dataset.cameras},
    }
    features = {camera: {'_type': 'Image'} for camera in dataset.cameras}
    for name, kind in fields.items():
        if name not in features:
            is_list = pa.types.is_list(kind)
            value = {'dtype': str(kind.value_type if is_list else kind), '_type': 'Value'}
            value['dtype'] = {'double': 'float64'}.get(value['dtype'], value['dtype'])
            features[name] = {'feature': value, '_type': 'List'} if is_list else value  # type: ignore[dict-item]
    metadata = {'huggingface': json.dumps({'info': {'features': features}})}
    return pa.schema([*fields.items()], metadata=metadata)
