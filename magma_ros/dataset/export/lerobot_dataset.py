"""A dataset in LeRobot's format v3.0, by our own hand: the same bytes whatever is installed.

Layout: huggingface/lerobot ``dataset_metadata.py``, ``io_utils.py`` and ``utils.py`` (0.4 to 0.6).
Each episode has a video file of its own, which the format allows and which lets episodes be
encoded side by side.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from magma_ros.dataset.export.dataset_files import Dataset, as_float32
from magma_ros.dataset.export.frame_files import load_av
from magma_ros.dataset.export.lerobot_statistics import describe, join_pictures
from magma_ros.dataset.export.picture_statistics import PictureStatistics
from magma_ros.dataset.export.staged_episode import StagedEpisode

FILES_PER_CHUNK = 1000
DATA_FILE_MB, VIDEO_FILE_MB = 100, 200
DATA_PATH = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
VIDEO_PATH = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
EPISODES_PATH = 'meta/episodes/chunk-000/file-000.parquet'
STATE = ('x_m', 'y_m', 'z_m', 'roll_rad', 'pitch_rad', 'yaw_rad', 'gripper')
ACTION = ('dx_m', 'dy_m', 'dz_m', 'rx_rad', 'ry_rad', 'rz_rad', 'gripper')
# Columns every LeRobot dataset has.
OWN = {
    'timestamp': ('float32', pa.float32()),
    'frame_index': ('int64', pa.int64()),
    'episode_index': ('int64', pa.int64()),
    'index': ('int64', pa.int64()),
    'task_index': ('int64', pa.int64()),
}


def write(dataset: Dataset, folder: Path) -> None:
    """Write the dataset into an empty folder."""
    (folder / 'meta/episodes/chunk-000').mkdir(parents=True)
    tasks: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    columns: list[dict[str, np.ndarray]] = []
    data = _DataFiles(folder)
    start = 0
    for number, episode in enumerate(dataset.episodes):
        steps = episode.steps()
        numbers = _columns(steps, number, start, dataset.rules.sampling.rate_hz, tasks)
        row = _row(dataset, episode, steps, numbers, number, start, data.add(numbers))
        rows.append(row)
        columns.append(numbers)
        start += episode.length
        for camera in dataset.cameras:
            path = folder / _video_path(camera, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(episode.video(camera), path)
    data.close()
    pq.write_table(pa.Table.from_pylist(rows), folder / EPISODES_PATH, compression='snappy')
    _write_tasks(tasks, folder)
    _write_info(dataset, folder, columns[0], len(tasks), start)
    joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
    statistics = {name: describe(values) for name, values in joined.items()}
    for camera in dataset.cameras:
        statistics[_key(camera)] = join_pictures(dataset.episodes, camera).describe()
    (folder / 'meta/stats.json').write_text(json.dumps(statistics, indent=1), encoding='utf-8')
    dataset.write_statistics(folder)


def _key(camera: str) -> str:
    return f'observation.images.{camera}'


def _video_path(camera: str, number: int) -> str:
    chunk, file = divmod(number, FILES_PER_CHUNK)
    return VIDEO_PATH.format(video_key=_key(camera), chunk_index=chunk, file_index=file)


def _columns(
    steps: dict[str, np.ndarray], number: int, start: int, rate_hz: float, tasks: dict[str, int]
) -> dict[str, np.ndarray]:
    """All columns of one episode but the videos. LeRobot's time is the number of the frame."""
    length = len(steps['time_ns'])
    frame = np.arange(length)
    for text in dict.fromkeys(steps['instruction'].tolist()):
        tasks.setdefault(text, len(tasks))
    return {
        'observation.state': as_float32(steps['state']),
        'observation.joints': as_float32(steps['joints']),
        'action': as_float32(steps['action']),
        'observation.stamp_ns': steps['stamp_ns'],
        'observation.age_s': as_float32(steps['age_ns'] * 1e-9),
        'timestamp': as_float32(frame / rate_hz),
        'frame_index': frame,
        'episode_index': np.full(length, number),
        'index': start + frame,
        'task_index': np.array([tasks[text] for text in steps['instruction'].tolist()]),
    }


class _DataFiles:
    """One row group for each episode; a new file where one becomes too large."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        self._writer: pq.ParquetWriter | None = None
        self._bytes = 0

    def add(self, numbers: dict[str, np.ndarray]) -> tuple[int, int]:
        """Write an episode; chunk and file it is in."""
        table = pa.table({name: _arrow(values) for name, values in numbers.items()})
        if self._writer is not None and self._bytes + table.nbytes > DATA_FILE_MB * 2**20:
            self.close()
            self._number += 1
        chunk, file = divmod(self._number, FILES_PER_CHUNK)
        if self._writer is None:
            path = self._folder / DATA_PATH.format(chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, table.schema, compression='snappy')
            self._bytes = 0
        self._writer.write_table(table)
        self._bytes += table.nbytes
        return chunk, file

    def close(self) -> None:
        """End the present file."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def _arrow(values: np.ndarray) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _row(
    dataset: Dataset,
    episode: StagedEpisode,
    steps: dict[str, np.ndarray],
    numbers: dict[str, np.ndarray],
    number: int,
    start: int,
    data: tuple[int, int],
) -> dict[str, Any]:
    """Of meta/episodes; columns beyond LeRobot's own can be filtered by."""
    chunk, file = divmod(number, FILES_PER_CHUNK)
    row: dict[str, Any] = {
        'episode_index': number,
        'tasks': list(dict.fromkeys(steps['instruction'].tolist())),
        'length': episode.length,
        'data/chunk_index': data[0],
        'data/file_index': data[1],
        'dataset_from_index': start,
        'dataset_to_index': start + episode.length,
        'meta/episodes/chunk_index': 0,
        'meta/episodes/file_index': 0,
        'magma/name': episode.name,
        'magma/grade': episode.about['grade'],
        'magma/success': str(episode.about['success']).lower(),
    }
    for camera in dataset.cameras:
        key = f'videos/{_key(camera)}'
        row[f'{key}/chunk_index'], row[f'{key}/file_index'] = chunk, file
        row[f'{key}/from_timestamp'] = 0.0
        row[f'{key}/to_timestamp'] = episode.length / dataset.rules.sampling.rate_hz
    statistics = {name: describe(values) for name, values in numbers.items()}
    for camera in dataset.cameras:
        colours = PictureStatistics.joined([episode.about['colours'][camera]])
        statistics[_key(camera)] = colours.describe()
    for name, values in statistics.items():
        row.update({f'stats/{name}/{key}': value for key, value in values.items()})
    return row


def _write_tasks(tasks: dict[str, int], folder: Path) -> None:
    """As pandas writes a frame whose index is the task."""
    table = pa.table({'task_index': [*tasks.values()], 'task': [*tasks]})
    pandas = {
        'index_columns': ['task'],
        'column_indexes': [],
        'columns': [
            {
                'name': name,
                'field_name': name,
                'pandas_type': kind,
                'numpy_type': numpy,
                'metadata': None,
            }
            for name, kind, numpy in (
                ('task_index', 'int64', 'int64'),
                ('task', 'unicode', 'object'),
            )
        ],
    }
    table = table.replace_schema_metadata({'pandas': json.dumps(pandas)})
    pq.write_table(table, folder / 'meta/tasks.parquet', compression='snappy')


def _write_info(
    dataset: Dataset, folder: Path, example: dict[str, np.ndarray], tasks: int, frames: int
) -> None:
    trained = len(dataset.train)
    splits = {'train': f'0:{trained}'}
    if dataset.validation:
        splits['val'] = f'{trained}:{len(dataset.episodes)}'
    info = {
        'codebase_version': 'v3.0',
        'robot_type': dataset.rules.mapping.arm,
        'total_episodes': len(dataset.episodes),
        'total_frames': frames,
        'total_tasks': tasks,
        'chunks_size': FILES_PER_CHUNK,
        'data_files_size_in_mb': DATA_FILE_MB,
        'video_files_size_in_mb': VIDEO_FILE_MB,
        'fps': round(dataset.rules.sampling.rate_hz),
        'splits': splits,
        'data_path': DATA_PATH,
        'video_path': VIDEO_PATH,
        'features': {**dict(_numbers(dataset, example)), **dict(_videos(dataset))},
    }
    (folder / 'meta/info.json').write_text(json.dumps(info, indent=4), encoding='utf-8')


def _numbers(dataset: Dataset, example: dict[str, np.ndarray]) -> Iterator[tuple[str, Any]]:
    joints = dataset.rules.mapping.profile().joint_names
    names = {'observation.state': STATE, 'observation.joints': joints, 'action': ACTION}
    for name, values in example.items():
        shape = list(values.shape[1:]) or [1]
        kind = OWN[name][0] if name in OWN else str(values.dtype)
        listed = list(names[name]) if name in names else None
        yield name, {'dtype': kind, 'shape': shape, 'names': listed}


def _videos(dataset: Dataset) -> Iterator[tuple[str, Any]]:
    for camera in dataset.cameras:
        with load_av().open(str(dataset.episodes[0].video(camera))) as container:
            stream = container.streams.video[0]
            height, width = stream.height, stream.width
        yield (
            _key(camera),
            {
                'dtype': 'video',
                'shape': [height, width, 3],
                'names': ['height', 'width', 'channels'],
                'info': {
                    'video.height': height,
                    'video.width': width,
                    'video.codec': 'h264',
                    'video.pix_fmt': 'yuv420p',
                    'video.is_depth_map': False,
                    'video.fps': round(dataset.rules.sampling.rate_hz),
                    'video.channels': 3,
                    'has_audio': False,
                },
            },
        )
