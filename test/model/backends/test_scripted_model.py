from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import PixelTrace
from magma_ros.errors import InstructionError
from magma_ros.model.action_model import ActionModel
from magma_ros.model.backends.scripted_model import ScriptedModel

PICTURE = np.zeros((480, 640, 3), np.uint8)


def test_actions_in_order_then_the_last() -> None:
    model: ActionModel = ScriptedModel([[0.5] * 7, [-0.5] * 7])
    firsts = [model.generate_action(PICTURE, 'go', None).normalised[0] for _ in range(3)]
    assert firsts == pytest.approx([0.5, -0.5, -0.5], abs=0.004)
    model.reset()
    assert model.generate_action(PICTURE, 'go', None).normalised[0] > 0


def test_traces_and_words() -> None:
    trace = PixelTrace(1, np.array([1.0, 2.0]), np.array([[320.0, 240.0]]))
    model = ScriptedModel(np.zeros((1, 7)), [trace], 'a table')
    answer = model.generate_trace(PICTURE, 'go', None)
    assert answer.traces == [trace]
    assert '[[128,128]]' in answer.text
    assert model.answer(PICTURE, 'what?') == 'a table'


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='at least one'):
        ScriptedModel(np.zeros((0, 7)))
    with pytest.raises(InstructionError):
        ScriptedModel(np.zeros((1, 7))).generate_action(PICTURE, '', None)
