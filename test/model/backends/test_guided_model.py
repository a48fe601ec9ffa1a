from __future__ import annotations

import numpy as np
import pytest

from magma_ros.data_types import PixelTrace
from magma_ros.model.backends.guided_model import GuidedModel
from magma_ros.model.backends.scripted_model import ScriptedModel

PICTURE = np.zeros((48, 64, 3), np.uint8)
TRACE = PixelTrace(1, np.zeros(2), np.ones((1, 2)))


class Server(ScriptedModel):
    is_left = False

    def close(self) -> None:
        self.is_left = True


def test_one_acts_and_the_other_draws_and_speaks() -> None:
    actor = ScriptedModel([[0.5] * 7, [0.0] * 7], words='from the actor')
    guide = Server([[-0.5] * 7], [TRACE], 'from the guide')
    model = GuidedModel(actor, guide)

    first = model.generate_action(PICTURE, 'go', None)
    assert first.normalised == pytest.approx([0.5] * 7, abs=0.01)
    assert model.generate_trace(PICTURE, 'go', None).traces == [TRACE]
    assert model.answer(PICTURE, 'what?') == 'from the guide'
    assert model.identity.sha256 == actor.identity.sha256
    assert 'paths of scripted' in model.identity.name

    model.reset()
    assert model.generate_action(PICTURE, 'go', None).ids == first.ids
    model.close()
    assert guide.is_left
