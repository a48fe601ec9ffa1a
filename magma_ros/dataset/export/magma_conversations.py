"""Magma's conversations: one JSON list, pictures beside it (data/conversations.py).

``conversations.json`` has the training split, ``conversations_val.json`` the other. The answer to
an action question is seven placeholders, which a trainer replaces by the tokens of the action in
``magma_ros``, scaled by the statistics of that key.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from magma_ros.dataset.export.dataset_files import Dataset
from magma_ros.dataset.export.staged_episode import StagedEpisode
from magma_ros.model.action_tokens import ACTION_LENGTH
from magma_ros.model.text.prompts import ACTION

IMAGE = '<image>\n'
ANSWER = '<action>' * ACTION_LENGTH


def write(dataset: Dataset, folder: Path) -> None:
    """Write the dataset into an empty folder."""
    _write_split(dataset, dataset.train, folder, 'conversations.json')
    if dataset.validation:
        _write_split(dataset, dataset.validation, folder, 'conversations_val.json')
    dataset.write_statistics(folder)


def _write_split(
    dataset: Dataset, episodes: Sequence[StagedEpisode], folder: Path, name: str
) -> None:
    """One record a line, so that a list of any length is written and read in little memory."""
    with (folder / name).open('w', encoding='utf-8') as stream:
        separator = '[\n'
        for episode in episodes:
            for record in _records(dataset, episode, folder):
                stream.write(separator + json.dumps(record))
                separator = ',\n'
        stream.write('\n]\n')


def _records(dataset: Dataset, episode: StagedEpisode, folder: Path) -> Iterator[dict[str, Any]]:
    camera = dataset.cameras[0]
    target = folder / 'images' / episode.name
    target.mkdir(parents=True)
    steps = episode.steps()
    for index in range(episode.length):
        image = target / f'{index:06d}.jpg'
        shutil.copyfile(episode.frame(camera, index), image)
        instruction = str(steps['instruction'][index])
        question = ACTION.format(state='', instruction=instruction.lower())
        yield {
            'id': f'{episode.name}/{index:06d}',
            'image': image.relative_to(folder).as_posix(),
            'conversations': [
                {'from': 'human', 'value': IMAGE + question},
                {'from': 'gpt', 'value': ANSWER},
            ],
            'magma_ros': {
                'episode': episode.name,
                'step': index,
                'instruction': instruction,
                'action': steps['action'][index].tolist(),
                'state': steps['state'][index].tolist(),
                'statistics_key': dataset.rules.name,
                'source': str(steps['source'][index]),
                'stamp_ns': int(steps['stamp_ns'][index]),
            },
        }
