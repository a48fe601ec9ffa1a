from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from magma_ros.data_types import GripperEvent
from magma_ros.errors import ModelError
from magma_ros.model.text.hamster_text import MOST_POINTS, parse_hamster_answer

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'hamster_answer.json').read_text())
MB = 1 << 20
TAG = '<action>Close Gripper</action>'


@pytest.mark.parametrize('case', GOLDEN['cases'], ids=lambda case: case['answer'][:20])
def test_paths(case: dict) -> None:
    trace = parse_hamster_answer(case['answer'], 100, 200)
    golden = np.array(case['points_xy_flag'])
    assert trace.points_px == pytest.approx(golden[:, :2] * [100, 200])
    flag, flags = GOLDEN['initial_flag'], []
    for index in range(len(golden)):
        if index in trace.events:
            flag = GOLDEN['gripper_flags'][
                'open' if trace.events[index] is GripperEvent.OPEN else 'close'
            ]
        flags.append(flag)
    assert flags == golden[:, 2].tolist()


@pytest.mark.parametrize(
    ('answer', 'points', 'events'),
    [
        ('<ans>(0.5, 0.25)</ans>', [[50, 50]], {}),
        ('<ans>[ ( 0 ,1. ) ]</ans>', [[0, 200]], {}),
        ('<ans>[(0.5,0.5),\n(1,1)]</ans> <ans>[(0,0)]</ans>', [[50, 100], [100, 200]], {}),
        (f'<ans>[(0.5, 0.5),{TAG}]</ans>', [[50, 100]], {0: GripperEvent.CLOSE}),
        (
            f'<ans>[(0.5, 0.5), <action> Open Gripper </action>, {TAG}]</ans>',
            [[50, 100]],
            {0: GripperEvent.CLOSE},
        ),
    ],
)
def test_other_spellings(answer: str, points: list, events: dict) -> None:
    trace = parse_hamster_answer(answer, 100, 200)
    assert trace.points_px.tolist() == points
    assert trace.events == events


@pytest.mark.parametrize('case', GOLDEN['bad_answers'], ids=lambda case: case['why'])
def test_bad_answers_are_refused(case: dict) -> None:
    with pytest.raises(ModelError, match='ask again'):
        parse_hamster_answer(case['answer'], 100, 200)


@pytest.mark.parametrize(
    'inside',
    [
        '',
        '[]',
        '[(0.5, 0.5), ...]',
        '[(0.5, 0.5) (0.6, 0.6)]',
        '[(0.5, 0.5), (0.6)]',
        '[(0.5, 0.5), (0.1, 0.2, 0.3)]',
        '[(nan, 0.5)]',
        '[(0.5, inf)]',
        '[(1e-1, 0.5)]',
        '[(0.5, 0.5), __import__("os").remove("x")]',
        '[(0.5, 0.5), <action>Dance</action>]',
        '[(٠.٥, ٠.٥)]',
        '[[(0.5, 0.5)]]',
        '[(' + '9' * 5000 + ', 0.5)]',
        '(' * 50_000 + ')' * 50_000,
        '[' + ', '.join(['(0.5, 0.5)'] * (MOST_POINTS + 1)) + ']',
    ],
    ids=lambda inside: inside[:40],
)
def test_what_is_no_path_is_refused(inside: str) -> None:
    with pytest.raises(ModelError, match='ask again'):
        parse_hamster_answer(f'<ans>{inside}</ans>', 100, 200)


@pytest.mark.parametrize('piece', ['<ans>', '<ans>[(0.5, ', '(0.5, 0.5), ', '<action>', '[', '9'])
def test_a_megabyte_is_refused_with_a_short_message(piece: str) -> None:
    with pytest.raises(ModelError) as refusal:
        parse_hamster_answer(piece * (MB // len(piece)), 100, 200)
    assert len(str(refusal.value)) < 500
