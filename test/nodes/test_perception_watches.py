"""Which threads look beside the prediction loop."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from magma_ros.nodes.perception_setup import PerceptionParameters  # noqa: E402
from magma_ros.nodes.perception_watches import PerceptionWatches  # noqa: E402
from magma_ros.nodes.question_desk import SpokenAnswer  # noqa: E402
from magma_ros.nodes.sealed_serving import Serving  # noqa: E402

WANTED = PerceptionParameters(mode='direct', trace_period_s=1.0)


class Outputs:
    def __init__(self) -> None:
        self.answers: list[SpokenAnswer] = []

    def answer(self, answer: SpokenAnswer) -> None:
        self.answers.append(answer)

    def show_ghost(self, image) -> None:
        pytest.fail('there is no reference picture')


def watches(code: str = '', wanted: PerceptionParameters = WANTED):
    perception = SimpleNamespace(
        profile=SimpleNamespace(base_link='base'), worker=None, marks=None, reference=None
    )
    loop, outputs = SimpleNamespace(newest=None, newest_task=None), Outputs()
    return PerceptionWatches(perception, Serving(wanted, code), loop, outputs), outputs


def test_a_blinded_session_draws_and_says_nothing() -> None:
    blinded, outputs = watches(code='A')
    blinded.start()

    blinded.ask('Who are you?')

    (answer,) = outputs.answers
    assert (answer.question, answer.answer) == ('Who are you?', '')
    assert 'blinded' in answer.error
    assert blinded.traces is None
    assert blinded.values == {}
    blinded.stop()


def test_traces_are_off_unless_asked_for() -> None:
    assert watches()[0].traces is not None
    assert watches(wanted=PerceptionParameters())[0].traces is None
