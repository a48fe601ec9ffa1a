from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from magma_ros.data_types import GripperEvent
from magma_ros.errors import ModelError
from magma_ros.model.text.hamster_text import parse_hamster_answer

GOLDEN = json.loads((Path(__file__).parents[2] / 'golden' / 'hamster_answer.json').read_text())


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


@pytest.mark.parametrize('case', GOLDEN['bad_answers'], ids=lambda case: case['why'])
def test_bad_answers_are_refused(case: dict) -> None:
    with pytest.raises(ModelError, match='ask again'):
        parse_hamster_answer(case['answer'], 100, 200)
