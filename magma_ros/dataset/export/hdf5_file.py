"""One HDF5 file as robomimic lays it out: ``data/demo_<n>/{actions, states, obs/...}``, masks."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from magma_ros.dataset.export.dataset_files import Dataset
from magma_ros.dataset.export.staged_episode import StagedEpisode
from magma_ros.image.picture_file import read_picture

FILE = 'dataset.hdf5'


def write(dataset: Dataset, folder: Path) -> None:
    """Write the dataset into an empty folder."""
    with h5py.File(folder / FILE, 'w') as file:
        data = file.create_group('data')
        names = []
        for number, episode in enumerate(dataset.episodes):
            names.append(f'demo_{number}')
            _write_episode(data.create_group(names[-1]), dataset, episode)
        data.attrs['total'] = sum(episode.length for episode in dataset.episodes)
        data.attrs['dataset'] = dataset.rules.name
        masks = file.create_group('mask')
        trained = len(dataset.train)
        masks['train'] = np.array(names[:trained], 'S')
        masks['valid'] = np.array(names[trained:], 'S')
    dataset.write_statistics(folder)


def _write_episode(group: h5py.Group, dataset: Dataset, episode: StagedEpisode) -> None:
    steps = episode.steps()
    length = episode.length
    group.attrs['num_samples'] = length
    group.attrs['name'] = episode.name
    group['actions'], group['states'] = steps['action'], steps['state']
    group['dones'] = np.arange(length) == length - 1
    group['stamp_ns'] = steps['stamp_ns']
    group['instruction'] = np.array([text.encode() for text in steps['instruction'].tolist()])
    observations = group.create_group('obs')
    observations['joints'], observations['ee_pose'] = steps['joints'], steps['state']
    for camera in dataset.cameras:
        first = read_picture(episode.frame(camera, 0))
        pictures = observations.create_dataset(
            camera, (length, *first.shape), np.uint8, chunks=(1, *first.shape), compression='gzip'
        )
        for index in range(length):
            pictures[index] = read_picture(episode.frame(camera, index))
