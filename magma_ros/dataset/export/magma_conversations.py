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
from magma_ros.dataset.export.trace_files import marked_picture, read_traces
from magma_ros.model.action_tokens import ACTION_LENGTH
from magma_ros.model.text.prompts import ACTION

IMAGE = '<image>\n'
ANSWER = '<action>' * ACTION_LENGTH
VERBAL = 'What is the robot doing in the image?'  # answered by the instruction
VERBAL_EVERY = 5  # steps, where there are traces: of one picture in five


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
    (folder / 'images' / episode.name).mkdir(parents=True)
    steps = episode.steps()
    traces = {one['step']: one for one in read_traces(episode.folder)}
    for index in range(episode.length):
        name = f'{episode.name}/{index:06d}'
        image = _copied(episode.frame(camera, index), folder, f'{name}.jpg')
        instruction = str(steps['instruction'][index])
        about = {
            'episode': episode.name,
            'step': index,
            'instruction': instruction,
            'source': str(steps['source'][index]),
            'stamp_ns': int(steps['stamp_ns'][index]),
        }
        done = {
            'action': steps['action'][index].tolist(),
            'state': steps['state'][index].tolist(),
            'statistics_key': dataset.rules.name,
        }
        question = ACTION.format(state='', instruction=instruction.lower())
        yield _record(name, image, question, ANSWER, {**about, **done})
        if index in traces:
            trace, marked = traces[index], image
            if trace['draws_marks']:
                marked = _copied(
                    marked_picture(episode.folder, index), folder, f'{name}.marks.jpg'
                )
            yield _record(f'{name}/marks', marked, trace['question'], trace['answer'], about)
            if index % VERBAL_EVERY == 0:
                yield _record(f'{name}/words', image, VERBAL, instruction, about)


def _copied(source: Path, folder: Path, name: str) -> str:
    shutil.copyfile(source, folder / 'images' / name)
    return f'images/{name}'


def _record(
    name: str, image: str, question: str, answer: str, about: dict[str, Any]
) -> dict[str, Any]:
    turns = [{'from': 'human', 'value': IMAGE + question}, {'from': 'gpt', 'value': answer}]
    return {'id': name, 'image': image, 'conversations': turns, 'magma_ros': about}
