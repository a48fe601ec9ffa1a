from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from magma_ros.errors import RecordingError
from magma_ros.evaluation.sessions.order import PlannedTrial
from magma_ros.evaluation.sessions.trial_record import TrialRecord, append_record, read_records
from magma_ros.evaluation.sessions.trial_runner import Attempt


def record(trial: int, **values: object) -> TrialRecord:
    planned = PlannedTrial(trial, 0, 'pick', 'left', 'A')
    return Attempt(planned, 1, '2026-11-22T10:00:00+00:00').record(ended='time', **values)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'trials.jsonl'
    written = record(0, success=True, latency_p50_ms=3.5, latency_p95_ms=9.0,
                     note='fell\n"twice" \u00e4', safety_events=('box', 'HOLD'))  # fmt: skip
    append_record(path, written)
    append_record(path, record(1))

    first, second = read_records(path)

    assert first == written
    assert math.isnan(second.latency_p50_ms)
    assert replace(second, latency_p50_ms=1.0, latency_p95_ms=1.0) == record(
        1, latency_p50_ms=1.0, latency_p95_ms=1.0
    )
    assert (
        json.loads(path.read_bytes().splitlines()[1])['latency_p50_ms'] is None
    )  # JSON, strictly


def test_no_file_is_no_trials(tmp_path: Path) -> None:
    assert read_records(tmp_path / 'trials.jsonl') == ()


def test_a_torn_last_line_is_no_trial_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / 'trials.jsonl'
    append_record(path, record(0, latency_p50_ms=1.0, latency_p95_ms=1.0))
    whole = path.read_bytes()
    for length in range(1, len(whole), 13):
        path.write_bytes(whole + whole[:length])
        assert len(read_records(path)) == 1

    append_record(path, record(1))

    assert [one.trial for one in read_records(path)] == [0, 1]


@pytest.mark.parametrize(
    ('line', 'named'),
    [
        ('{"trial": 0', 'line 1 is no JSON'),
        ('[]', 'line 1 is no trial: a trial has trial, block'),
        ('{"trial": 0}', 'line 1 is no trial'),
    ],
)
def test_any_other_damage_names_the_line(tmp_path: Path, line: str, named: str) -> None:
    path = tmp_path / 'trials.jsonl'
    append_record(path, record(0))
    path.write_bytes(line.encode() + b'\n' + path.read_bytes())

    with pytest.raises(RecordingError, match=named):
        read_records(path)


@pytest.mark.parametrize(
    ('name', 'value'),
    [('trial', 'x'), ('trial', True), ('success', 1), ('duration_s', '1'), ('note', None),
     ('safety_events', 'box'), ('safety_events', [1])],
)  # fmt: skip
def test_values_of_another_type_are_refused(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / 'trials.jsonl'
    append_record(path, record(0))
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, name: value}) + '\n')

    with pytest.raises(RecordingError, match=f'line 1: {name} is'):
        read_records(path)


def test_a_folder_that_is_gone_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match='trial 4 was not kept .* session resume'):
        append_record(tmp_path / 'gone' / 'trials.jsonl', record(4))
