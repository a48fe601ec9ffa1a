from __future__ import annotations

import json
from pathlib import Path

import pytest

from magma_ros.errors import ConfigurationError
from magma_ros.evaluation.suite import SUITE, full_table, mode_table, read_results
from magma_ros.evaluation.trials import Trial, summarise

MODEL = {'name': 'magma-nano', 'sha256': 'ab' * 32}


def result(name: str, successes: int) -> dict:
    condition = SUITE[name]
    trials = [Trial(i, 'go', i < successes, 3.0, (0.02,)) for i in range(condition.episodes)]
    return summarise(condition, trials, MODEL)


def test_modes_stand_side_by_side_and_gaps_are_named() -> None:
    table = mode_table(
        {'pick_path': result('pick_path', 198), 'pick_direct': result('pick_direct', 20)}
    )

    line = next(line for line in table.splitlines() if line.startswith('| pick'))
    assert line == '| pick | 198/200 = 0.990 (0.964 to 0.999) | 20/200 = 0.100 (0.062 to 0.150) |'
    assert table.splitlines()[2] == '| reach | not measured | not measured |'


def test_the_full_table_says_what_each_condition_was() -> None:
    names = ['put_path_hard', 'pick_path_blank', 'pick_path_swapped', 'reach_random']

    lines = full_table({name: result(name, 3) for name in names}).splitlines()[2:]

    assert [line.split(' | ')[0] for line in lines] == [
        '| put, 2 distractors, light +-20%',
        '| pick, grey picture',
        "| pick, another cube's colour said",
        '| reach, random actions',
    ]
    assert lines[3].split(' | ')[1] == 'none'


def test_results_of_another_suite_are_refused(tmp_path: Path) -> None:
    file = tmp_path / 'results.json'
    file.write_text(json.dumps({'juggle_path': {}}))

    with pytest.raises(ConfigurationError, match='juggle_path'):
        read_results(file)
