"""A data set is read whole, or refused with the file and the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_conversations import STATISTICS_KEY, edit, write_tiny

from magma_ros.errors import ConfigurationError
from magma_ros.model.action_scaling import load_statistics
from magma_ros.training.finetuning.conversations import (
    CONVERSATIONS_FILE,
    STATISTICS_FILE,
    VALIDATION_FILE,
    check_statistics,
    read_conversations,
)


def change_first(**values: Any) -> Any:
    def change(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        entries[0] |= values
        return entries

    return change


def test_what_was_written_is_read(tmp_path: Path) -> None:
    data = read_conversations(write_tiny(tmp_path))

    assert {sample.episode for sample in data.train} == {'pick_0', 'pick_2'}
    assert {sample.episode for sample in data.validation} == {'pick_1', 'pick_3'}
    assert data.describe()['train'] == {'action': 12}
    first = data.train[0]
    assert (first.kind, first.step, first.episode) == ('action', 0, 'pick_0')
    assert first.action is not None
    assert first.action[1:3] == (0.01, -0.03)
    assert first.question == 'What action should the robot take to pick up the red cube?'
    assert data.statistics is not None
    assert data.statistics.key == STATISTICS_KEY
    assert data.sha256 == read_conversations(tmp_path).sha256


def test_validation_may_be_missing(tmp_path: Path) -> None:
    (write_tiny(tmp_path) / VALIDATION_FILE).unlink()

    assert read_conversations(tmp_path).validation == ()


@pytest.mark.parametrize(
    ('name', 'change', 'complaint'),
    [
        (CONVERSATIONS_FILE, lambda _: [], 'must be a list'),
        (CONVERSATIONS_FILE, lambda _: [{'id': 1}], 'an entry needs'),
        (CONVERSATIONS_FILE, change_first(image='images/none.jpg'), 'no picture'),
        (CONVERSATIONS_FILE, change_first(image='../../etc/passwd'), 'outside'),
        (CONVERSATIONS_FILE, change_first(conversations=[]), 'two turns'),
        (CONVERSATIONS_FILE, change_first(magma_ros={}), 'magma_ros.action is missing'),
        (
            CONVERSATIONS_FILE,
            change_first(magma_ros={'action': [1, 2], 'episode': 'pick_0'}),
            'seven numbers',
        ),
        (
            CONVERSATIONS_FILE,
            change_first(
                magma_ros={'action': [0] * 7, 'statistics_key': 'other', 'episode': 'pick_0'}
            ),
            'statistics keys',
        ),
        (VALIDATION_FILE, lambda entries: entries[:1] + [None], 'an entry needs'),
        (VALIDATION_FILE, change_first(magma_ros={'action': [0] * 7, 'episode': 'pick_0'}), 'and'),
        (STATISTICS_FILE, lambda found: {'panda': found[STATISTICS_KEY]}, 'has no statistics'),
    ],
)
def test_bad_data_are_named(tmp_path: Path, name: str, change: Any, complaint: str) -> None:
    edit(write_tiny(tmp_path), name, change)

    with pytest.raises(ConfigurationError, match=complaint):
        read_conversations(tmp_path)


@pytest.mark.parametrize('name', [CONVERSATIONS_FILE, VALIDATION_FILE, STATISTICS_FILE])
@pytest.mark.parametrize('content', [b'', b'{"cut', b'\xff\xfe'])
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = write_tiny(tmp_path) / name
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=name):
        read_conversations(tmp_path)


@pytest.mark.parametrize('scale', [0.01, 3.0])
def test_statistics_of_another_robot_are_refused(scale: float) -> None:
    statistics = load_statistics(STATISTICS_KEY)
    actions = np.random.default_rng(0).uniform(statistics.q01, statistics.q99, (500, 7))

    check_statistics(actions, statistics, Path('mine.json'))

    with pytest.raises(ConfigurationError, match='not those of these actions'):
        check_statistics(scale * actions, statistics, Path('mine.json'))


def test_statistics_with_their_own_outliers_pass() -> None:
    shipped = load_statistics('bridge_orig')
    random = np.random.default_rng(0)
    actions = random.uniform(shipped.q01, shipped.q99, (1000, 7))
    actions[:20, :6] *= 5  # what lies beyond the 1st and 99th percentile

    check_statistics(actions, shipped, Path('bridge.json'))


def test_questions_decide_the_kind(tmp_path: Path) -> None:
    turns = [
        {'from': 'human', 'value': '<image>\nWhat is the robot doing in the image?'},
        {'from': 'gpt', 'value': 'Pick up the red cube.'},
    ]
    edit(write_tiny(tmp_path), CONVERSATIONS_FILE, change_first(conversations=turns))

    kinds = [sample.kind for sample in read_conversations(tmp_path).train]

    assert kinds == ['verbal'] + ['action'] * 11
