"""Adds paths in hindsight to converted episodes, so that path mode can learn from them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from magma_ros.data_types import CameraModel
from magma_ros.errors import ConfigurationError
from magma_ros.model.decoding import DecodingSettings
from magma_ros.model.text.prompts import TRACE, TRACE_WORDINGS
from magma_ros.model.text.trace_text import format_trace_answer
from magma_ros.training.finetuning.conversations import (
    CONVERSATIONS_FILE,
    IMAGE_TAG,
    STATISTICS_FILE,
    VALIDATION_FILE,
    read_conversations,
    read_json,
)
from magma_ros.training.finetuning.hindsight import MARK, find_contacts, hindsight_trace

ASKS_FOR_ACTION = 'What action should the robot take to '
STRIDE = 2  # steps between pictures that get a path: neighbours differ little


def label_paths(data: Path, cameras: Mapping[str, CameraModel], out: Path) -> int:
    """Copy a data set and add a path to every second step; returns how many were added.

    Args:
        data: what ``magma data convert --to magma`` wrote.
        cameras: of each episode by its name; the camera must not move during an episode.
        out: folder to be made.

    Raises:
        ConfigurationError: the data cannot be used, the camera of an episode is missing, or
            ``out`` exists.
    """
    read_conversations(data)
    if out.exists():
        raise ConfigurationError(f'{out} exists and is left alone: choose another folder')
    draft = out.with_name(f'{out.name}.partial')
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(data / 'images', draft / 'images')
    shutil.copyfile(data / STATISTICS_FILE, draft / STATISTICS_FILE)
    count = 0
    for name in (CONVERSATIONS_FILE, VALIDATION_FILE):
        if not (data / name).is_file():
            continue
        entries = read_json(data / name)
        paths = list(_paths(entries, cameras))
        (draft / name).write_text(json.dumps(entries + paths), encoding='utf-8')
        count += len(paths)
    draft.replace(out)
    return count


def path_question(instruction: str) -> str:
    """What path mode asks, word for word."""
    actor, labels = TRACE_WORDINGS['demo']
    return TRACE.format(
        state='',
        labels=labels.format(marks=[MARK]),
        actor=actor,
        task=instruction,
        speed='',
        steps=DecodingSettings.trace_steps,
    )


def _paths(
    entries: Iterable[dict[str, Any]], cameras: Mapping[str, CameraModel]
) -> Iterable[dict[str, Any]]:
    acted = (one for one in entries if ASKS_FOR_ACTION in one['conversations'][0]['value'])
    for episode, steps in groupby(acted, key=lambda entry: entry['magma_ros']['episode']):
        if episode not in cameras:
            raise ConfigurationError(
                f'there is no camera for the episode {episode!r}: give the bag it was made of'
            )
        yield from _paths_of_episode(list(steps), cameras[episode])


def _paths_of_episode(
    steps: list[dict[str, Any]], camera: CameraModel
) -> Iterable[dict[str, Any]]:
    about = [step['magma_ros'] for step in steps]
    tools_m = np.array([each['state'][:3] for each in about])
    contacts = find_contacts(tools_m, [each['action'][6] for each in about])
    for number in range(0, len(steps), STRIDE):
        trace = hindsight_trace(number, tools_m, contacts, camera)
        if trace is None:
            continue
        turns = {
            'human': f'{IMAGE_TAG}\n{path_question(about[number]["instruction"])}',
            'gpt': format_trace_answer([trace], camera.width_px, camera.height_px),
        }
        yield {
            'id': f'{steps[number]["id"]}/path',
            'image': steps[number]['image'],
            'conversations': [{'from': who, 'value': said} for who, said in turns.items()],
            'magma_ros': about[number],
        }
