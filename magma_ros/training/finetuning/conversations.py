"""Reads Magma conversations: questions about pictures with answers, checked before training.

A folder holds what ``magma data convert --to magma`` writes: ``conversations.json`` to train on,
``conversations_val.json``, ``dataset_statistics.json`` (OpenVLA's format) and the pictures. An
entry is one question and one answer about one picture; what a robot did stands beside them, in
metres, radians and gripper opening, under ``magma_ros``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_scaling import ActionStatistics, load_statistics
from magma_ros.model.action_tokens import ACTION_LENGTH
from magma_ros.training.finetuning.settings import Kind

CONVERSATIONS_FILE = 'conversations.json'
VALIDATION_FILE = 'conversations_val.json'
STATISTICS_FILE = 'dataset_statistics.json'
IMAGE_TAG = '<image>'
# How each question begins, word for word (model/text/prompts.py); any other one is verbal.
_BEGINNINGS: tuple[tuple[str, Kind], ...] = (
    (r'What action should the robot take to ', 'action'),
    (r'[\s\S]*how to move the numerical marks in the image', 'trace'),
    (r'[\s\S]*Please locate all the numerical marks', 'mark'),
)
MOST_OUTSIDE = 0.2  # of the actions; one in fifty is beyond q01 and q99 by their definition
LEAST_SPREAD = 0.05  # of the range that the 99th percentile of the actions must use somewhere
_ENTRY_KEYS = {'id', 'image', 'conversations'}


@dataclass(frozen=True)
class Sample:
    """One question and its answer."""

    name: str
    picture: Path
    kind: Kind
    question: str  # without the image tag
    answer: str
    episode: str
    step: int
    action: tuple[float, ...] | None  # 7: m, m, m, rad, rad, rad, opening; what was done
    state: tuple[float, ...] | None  # 7, as model.text.state_text.state_values gives it


@dataclass(frozen=True)
class ConversationData:
    """A data set that has passed the checks."""

    folder: Path
    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    statistics: ActionStatistics | None  # none: nothing in it is an action
    sha256: str  # of the JSON files

    def describe(self) -> dict[str, Any]:
        """For the manifest of what is trained on it."""
        return {
            'sha256': self.sha256,
            'train': dict(Counter(sample.kind for sample in self.train)),
            'validation': dict(Counter(sample.kind for sample in self.validation)),
            'statistics_key': self.statistics.key if self.statistics else None,
        }


def read_conversations(folder: Path) -> ConversationData:
    """Everything but the pixels of the pictures.

    Raises:
        ConfigurationError: a file is missing or damaged, an entry is incomplete or has no picture,
            or the statistics are those of another robot.
    """
    keys: set[str] = set()
    train = _read_samples(folder, CONVERSATIONS_FILE, keys)
    validation: tuple[Sample, ...] = ()
    if (folder / VALIDATION_FILE).is_file():
        validation = _read_samples(folder, VALIDATION_FILE, keys)
    if both := {sample.episode for sample in train} & {sample.episode for sample in validation}:
        raise ConfigurationError(
            f'{folder}: the episodes {sorted(both)[:5]} are in {CONVERSATIONS_FILE} and in '
            f'{VALIDATION_FILE}: convert again'
        )
    statistics = _read_statistics(folder / STATISTICS_FILE, keys)
    if statistics is not None:
        actions = [s.action for s in (*train, *validation) if s.action is not None]
        check_statistics(np.array(actions), statistics, folder / STATISTICS_FILE)
    return ConversationData(folder, train, validation, statistics, _checksum(folder))


def check_statistics(actions: np.ndarray, statistics: ActionStatistics, path: Path) -> None:
    """Pass statistics that can be those of these (n, 7) actions.

    Raises:
        ConfigurationError: far more actions are outside of q01 .. q99 than in the data they were
            computed from, or none comes near them.
    """
    span = np.where(statistics.mask, statistics.q99 - statistics.q01, 1.0)
    margin = 1e-6 + 0.01 * span
    outside = (actions < statistics.q01 - margin) | (actions > statistics.q99 + margin)
    moving = statistics.mask & (span > 0)
    middle = (statistics.q99 + statistics.q01) / 2
    used = np.percentile(np.abs(actions - middle), 99, axis=0) / np.where(span > 0, span / 2, 1.0)
    shares = outside[:, moving].mean(axis=0) if moving.any() else np.zeros(1)
    if shares.max() > MOST_OUTSIDE or (moving.any() and used[moving].max() < LEAST_SPREAD):
        raise ConfigurationError(
            f'{path}: the statistics {statistics.key!r} are not those of these actions (up to '
            f'{shares.max():.0%} of them lie outside q01 .. q99, and they use '
            f'{used[moving].max():.0%} of the range): take the file that was made with the data'
        )


def _read_samples(folder: Path, name: str, keys: set[str]) -> tuple[Sample, ...]:
    """The entries of a file; ``keys`` collects the statistics they name."""
    entries = read_json(folder / name)
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError(f'{folder / name} must be a list with entries')
    samples = [_read_sample(entry, folder, str(folder / name), keys) for entry in entries]
    # Other questions about a picture leave out what its action says already.
    states = {(s.episode, s.step): s.state for s in samples if s.state is not None}
    return tuple(replace(s, state=s.state or states.get((s.episode, s.step))) for s in samples)


def _read_sample(entry: Any, folder: Path, path: str, keys: set[str]) -> Sample:
    if not isinstance(entry, dict) or not entry.keys() >= _ENTRY_KEYS:
        raise ConfigurationError(
            f'{path}: an entry needs {sorted(_ENTRY_KEYS)}, but is {str(entry)[:80]}'
        )
    where = f'{path}: entry {entry["id"]!r}'
    question, answer = _read_turns(entry['conversations'], where)
    about = entry.get('magma_ros')
    about = about if isinstance(about, dict) else {}
    kind: Kind = next((k for start, k in _BEGINNINGS if re.match(start, question)), 'verbal')
    action, state = (_seven(about.get(name), f'{where}: {name}') for name in ('action', 'state'))
    if kind == 'action':
        if action is None:
            raise ConfigurationError(
                f'{where} asks for an action, but magma_ros.action is missing'
            )
        keys.add(str(about.get('statistics_key')))
    return Sample(
        str(entry['id']),
        _find_picture(folder, entry['image'], where),
        kind,
        question,
        answer,
        str(about.get('episode', entry['id'])),
        int(about.get('step', 0)),
        action,
        state,
    )


def _read_turns(turns: Any, where: str) -> tuple[str, str]:
    try:
        (asked, question), (answered, answer) = ((turn['from'], turn['value']) for turn in turns)
    except (TypeError, KeyError, ValueError):
        asked = answered = question = answer = None
    if (asked, answered) != ('human', 'gpt') or not isinstance(answer, str):
        raise ConfigurationError(f'{where} needs two turns with text, of "human" and of "gpt"')
    if not isinstance(question, str) or question.count(IMAGE_TAG) != 1:
        raise ConfigurationError(
            f'{where}: the question needs {IMAGE_TAG} once, it has one picture'
        )
    return question.replace(IMAGE_TAG, '').strip(), answer


def _find_picture(folder: Path, name: Any, where: str) -> Path:
    path = (folder / str(name)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ConfigurationError(f'{where}: the picture {name!r} lies outside of the data')
    if not path.is_file():
        raise ConfigurationError(f'{where}: there is no picture {path}; copy the whole folder')
    return path


def _seven(values: Any, where: str) -> tuple[float, ...] | None:
    if values is None:
        return None
    is_list = isinstance(values, list) and len(values) == ACTION_LENGTH
    if not is_list or not all(type(v) in (int, float) and np.isfinite(v) for v in values):
        raise ConfigurationError(f'{where} must be seven numbers, but is {str(values)[:80]}')
    return tuple(float(v) for v in values)


def _read_statistics(path: Path, keys: set[str]) -> ActionStatistics | None:
    if not keys:
        return None
    if len(keys) > 1:
        raise ConfigurationError(
            f'the actions have the statistics keys {sorted(keys)}; a policy has one: convert '
            'each robot into a folder of its own, or all with the same statistics'
        )
    return load_statistics(next(iter(keys)), path)


def read_json(path: Path) -> Any:
    """Raises ConfigurationError for a file that is missing or no JSON."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f'{path} does not exist: give a folder that magma data convert wrote'
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f'{path} cannot be read ({error}): copy it again') from error


def _checksum(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (CONVERSATIONS_FILE, VALIDATION_FILE, STATISTICS_FILE):
        if (folder / name).is_file():
            digest.update(name.encode() + b'\0' + (folder / name).read_bytes())
    return digest.hexdigest()
