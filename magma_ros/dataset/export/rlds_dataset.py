"""RLDS episodes as ``tfds.builder_from_directory`` reads them, written without TensorFlow.

``1.0.0/{features.json, dataset_info.json, <name>-<split>.tfrecord-<shard>-of-<shards>}``: a record
for each episode, in whose lists its steps follow each other. Sources: tensorflow_datasets 4.9
(``core/naming.py``, ``dataset_info.proto``) and kpertsch/rlds_dataset_builder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from magma_ros import __version__
from magma_ros.dataset.export.dataset_files import Dataset
from magma_ros.dataset.export.rlds_features import episode_features
from magma_ros.dataset.export.staged_episode import StagedEpisode
from magma_ros.dataset.export.tfrecord import (
    Feature,
    bytes_feature,
    encode_example,
    float_feature,
    int64_feature,
    write_record,
)
from magma_ros.errors import ConfigurationError

VERSION = '1.0.0'
SHARD_BYTES = 128 << 20  # of pictures; tensorflow-datasets reads shards in parallel
EPISODE_BYTES = (1 << 31) - (64 << 20)  # of pictures: protobuf reads messages of up to 2 GiB


def write(dataset: Dataset, folder: Path) -> None:
    """Write the dataset into an empty folder.

    Raises:
        ConfigurationError: the pictures of an episode do not fit into a record.
    """
    versioned = folder / VERSION
    versioned.mkdir()
    splits = [('train', dataset.train), ('val', dataset.validation)]  # named as in Bridge
    information = {
        'name': dataset.rules.name,
        'version': VERSION,
        'releaseNotes': {VERSION: f'made from rosbags by magma_ros {__version__}'},
        'fileFormat': 'tfrecord',
        'splits': [
            _write_split(dataset, episodes, versioned, split)
            for split, episodes in splits
            if episodes
        ],
    }
    _write_json(versioned / 'dataset_info.json', information)
    _write_json(versioned / 'features.json', _features(dataset))
    dataset.write_statistics(folder)


def _features(dataset: Dataset) -> dict[str, Any]:
    rules = dataset.rules
    return episode_features(
        rules.sampling.size_px,
        dataset.cameras,
        dataset.train[0].steps()['joints'].shape[1],
        rules.convention.turn.replace('_', ' '),
        rules.convention.open_value,
    )


def _write_split(
    dataset: Dataset, episodes: Sequence[StagedEpisode], folder: Path, split: str
) -> dict[str, Any]:
    """Write its shards; what ``dataset_info.json`` says of them."""
    shards = _shards(dataset, episodes)
    written = 0
    for number, shard in enumerate(shards):
        name = f'{dataset.rules.name}-{split}.tfrecord-{number:05d}-of-{len(shards):05d}'
        with (folder / name).open('wb') as stream:
            for episode in shard:
                written += write_record(stream, encode_example(_columns(dataset, episode)))
    return {
        'name': split,
        'filepathTemplate': '{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}',
        'numBytes': str(written),
        'shardLengths': [str(len(shard)) for shard in shards],
    }


def _shards(dataset: Dataset, episodes: Sequence[StagedEpisode]) -> list[list[StagedEpisode]]:
    shards: list[list[StagedEpisode]] = []
    room = 0
    for episode in episodes:
        frames = [
            episode.frame(camera, index)
            for camera in dataset.cameras
            for index in range(episode.length)
        ]
        size = sum(frame.stat().st_size for frame in frames)
        if size > EPISODE_BYTES:
            raise ConfigurationError(
                f'{episode.name} has {size} bytes of pictures; an episode of RLDS is one record '
                f'of up to {EPISODE_BYTES}: divide it (--by pause), or give a smaller --size'
            )
        if size > room:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append(episode)
        room -= size
    return shards


def _columns(dataset: Dataset, episode: StagedEpisode) -> dict[str, Feature]:
    """The features of :func:`episode_features`, by the names tensorflow-datasets gives them."""
    steps, length = episode.steps(), episode.length
    index = np.arange(length)
    is_last = index == length - 1
    reward = is_last if episode.about['success'] is not False else np.zeros(length)
    texts = [text.encode() for text in steps['instruction'].tolist()]
    columns = {
        'action': float_feature(steps['action']),
        'discount': float_feature(np.ones(length)),
        'is_first': int64_feature(index == 0),
        'is_last': int64_feature(is_last),
        'is_terminal': int64_feature(is_last),
        'language_instruction': bytes_feature(texts),
        'observation/joint_state': float_feature(steps['joints']),
        'observation/stamp_ns': int64_feature(steps['stamp_ns']),
        'observation/state': float_feature(steps['state']),
        'reward': float_feature(reward),
    }
    for camera in dataset.cameras:
        frames = (episode.frame(camera, step) for step in range(length))
        columns[f'observation/{camera}'] = bytes_feature(frames)
    features = {f'steps/{name}': column for name, column in columns.items()}
    features['episode_metadata/file_path'] = bytes_feature([episode.name.encode()])
    return features


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True), encoding='utf-8')
